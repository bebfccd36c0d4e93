%% lists: comprehensions with several generators and filters.
%% repeat: 8
-module(b_compr).
-export([run/0]).
run() -> [length(triples(170)), length([{X, Y} || X <- lists:seq(1, 1500), Y <- lists:seq(1, 1500), X + Y =:= 1500])].
triples(N) -> [{A, B, C} || A <- lists:seq(1, N), B <- lists:seq(A, N), C <- lists:seq(B, N), A * A + B * B =:= C * C].
