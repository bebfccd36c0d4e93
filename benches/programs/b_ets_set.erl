%% ets: insert, lookup, update_counter, delete in a hash table.
%% repeat: 2
-module(b_ets_set).
-export([run/0]).
run() -> T = ets:new(t, [set, public]), R = go(T), ets:delete(T), R.
go(T) ->
    [ets:insert(T, {I, I, "value"}) || I <- lists:seq(1, 100000)],
    S = lists:sum([element(2, hd(ets:lookup(T, I))) || I <- lists:seq(1, 100000)]),
    [ets:update_counter(T, I band 1023 + 1, {2, 1}) || I <- lists:seq(1, 200000)],
    [ets:delete(T, I) || I <- lists:seq(1, 50000)],
    {S, ets:info(T, size), ets:foldl(fun({_, V, _}, A) -> A + V end, 0, T)}.
