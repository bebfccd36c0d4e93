%% lists: all solutions of the n queens problem.
%% repeat: 28
-module(b_queens).
-export([run/0]).
run() -> length(queens(10)).
queens(N) -> place(N, N, lists:seq(1, N)).
place(0, _, _) -> [[]];
place(K, N, Cols) -> [[Q | B] || B <- place(K - 1, N, Cols), Q <- Cols, safe(Q, B, 1)].
safe(_, [], _) -> true;
safe(Q, [H | T], D) when Q =/= H, Q - H =/= D, H - Q =/= D -> safe(Q, T, D + 1);
safe(_, _, _) -> false.
