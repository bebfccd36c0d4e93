%% integers: the Ackermann function, deep non-tail recursion.
%% repeat: 1
-module(b_ack).
-export([run/0]).
run() -> [ack(3, 9) || _ <- [1, 2, 3]].
ack(0, N) -> N + 1;
ack(M, 0) -> ack(M - 1, 1);
ack(M, N) -> ack(M - 1, ack(M, N - 1)).
