%% integers: doubly recursive Fibonacci.
%% repeat: 1
-module(b_fib).
-export([run/0]).
run() -> fib(36).
fib(N) when N < 2 -> N;
fib(N) -> fib(N - 1) + fib(N - 2).
