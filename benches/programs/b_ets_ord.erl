%% ets: an ordered table, iteration, match and select.
%% repeat: 4
-module(b_ets_ord).
-export([run/0]).
run() -> T = ets:new(t, [ordered_set]), R = go(T), ets:delete(T), R.
go(T) ->
    [ets:insert(T, {(I * 7919) rem 100003, I}) || I <- lists:seq(1, 60000)],
    W = walk(T, ets:first(T), 0),
    S = length(ets:select(T, [{{'$1', '$2'}, [{'>', '$2', 30000}, {'=:=', {'rem', '$1', 3}, 0}], ['$1']}])),
    M = length(ets:match(T, {'$1', '_'})),
    C = ets:select_count(T, [{{'$1', '_'}, [{'<', '$1', 50000}], [true]}]),
    {W, S, M, C}.
walk(_, '$end_of_table', A) -> A;
walk(T, K, A) -> walk(T, ets:next(T, K), (A + K) band 16#FFFFFF).
