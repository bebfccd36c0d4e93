%% bignums: additions of growing numbers.
%% repeat: 3
-module(b_fibbig).
-export([run/0]).
run() -> lists:foldl(fun(_, _) -> fib(30000, 0, 1) rem 1000000007 end, 0, lists:seq(1, 8)).
fib(0, A, _) -> A;
fib(N, A, B) -> fib(N - 1, B, A + B).
