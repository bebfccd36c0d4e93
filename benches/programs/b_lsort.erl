%% lists: sorting of integers, tuples and with a fun.
%% repeat: 1
-module(b_lsort).
-export([run/0]).
run() ->
    L = rnd(120000, 42, []),
    T = [{X rem 1000, X} || X <- L],
    {erlang:phash2(lists:sort(L)), erlang:phash2(lists:keysort(1, T)), erlang:phash2(lists:sort(fun(A, B) -> A >= B end, L)), length(lists:usort(L))}.
rnd(0, _, A) -> A;
rnd(N, S, A) -> S1 = (S * 1103515245 + 12345) band 16#7FFFFFFF, rnd(N - 1, S1, [S1 bsr 8 | A]).
