%% maps: from_list, fold, map, filter, merge, keys and iteration; binary keys.
%% repeat: 2
-module(b_map_bulk).
-export([run/0]).
run() -> L = [{integer_to_binary(I), I} || I <- lists:seq(1, 20000)], loop(8, L, 0).
loop(0, _, A) -> A;
loop(N, L, A) ->
    M = maps:from_list(L),
    S = maps:fold(fun(_, V, B) -> V + B end, 0, M),
    D = maps:map(fun(_, V) -> V * 2 end, M),
    F = maps:filter(fun(_, V) -> V rem 3 =:= 0 end, D),
    G = maps:merge(M, F),
    I = iter(maps:next(maps:iterator(G)), 0),
    K = length(maps:keys(G)) + map_size(F),
    loop(N - 1, L, (A + S + I + K) rem 1000000007).
iter(none, A) -> A;
iter({_, V, I}, A) -> iter(maps:next(I), A + V).
