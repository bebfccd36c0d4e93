%% integers: generators of random numbers, linear congruential and by shifts, and a shuffle with one.
%% repeat: 2
-module(b_random).
-export([run/0]).

run() -> {congruential(400000, 1), rest(300000, 42), xorshift(200000, 88172645463325252), shuffled(20000)}.

congruential(0, X) -> X;
congruential(N, X) -> congruential(N - 1, (X * 1103515245 + 12345) band 16#7FFFFFFF).

rest(0, X) -> X;
rest(N, X) -> rest(N - 1, (X * 16807) rem 2147483647).

xorshift(0, X) -> X;
xorshift(N, X0) ->
    X1 = X0 bxor ((X0 bsl 13) band 16#FFFFFFFFFFFFFFFF),
    X2 = X1 bxor (X1 bsr 7),
    xorshift(N - 1, X2 bxor ((X2 bsl 17) band 16#FFFFFFFFFFFFFFFF)).

shuffled(N) ->
    {L, _} = lists:mapfoldl(fun(I, X) -> Y = next(X), {{Y, I}, Y} end, 4711, lists:seq(1, N)),
    erlang:phash2([I || {_, I} <- lists:sort(L)]).

next(X) -> (X * 6364136223846793005 + 1442695040888963407) band 16#FFFFFFFFFFFFFFFF.
