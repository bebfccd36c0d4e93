%% lists: map, filter and folds with small funs.
%% repeat: 3
-module(b_mapfold).
-export([run/0]).
run() -> L = lists:seq(1, 1000), loop(2500, L, 0).
loop(0, _, A) -> A;
loop(N, L, A) ->
    M = lists:map(fun(X) -> X * 2 + N end, L),
    F = lists:filter(fun(X) -> X band 3 =/= 0 end, M),
    S = lists:foldl(fun(X, B) -> X + B end, 0, F),
    R = lists:foldr(fun(X, B) -> X - B end, 0, F),
    loop(N - 1, L, (A + S + R) rem 1000000007).
