%% processes: starting and ending many short ones.
%% repeat: 1
-module(b_spawn).
-export([run/0]).
run() -> {seq(100000, 0), batch(20, 0)}.
seq(0, A) -> A;
seq(N, A) -> S = self(), spawn(fun() -> S ! N end), receive N -> seq(N - 1, A + 1) end.
batch(0, A) -> A;
batch(K, A) -> S = self(), [spawn(fun() -> S ! {r, I} end) || I <- lists:seq(1, 5000)], batch(K - 1, A + lists:sum([receive {r, I} -> I end || _ <- lists:seq(1, 5000)])).
