%% integers: shifts and masks, population count and xorshift.
%% repeat: 2
-module(b_bits).
-export([run/0]).
run() -> go(3000000, 88172645463325252, 0).
go(0, _, A) -> A;
go(N, S, A) ->
    S1 = (S bxor (S bsl 13)) band 16#FFFFFFFFFFF,
    S2 = S1 bxor (S1 bsr 7),
    S3 = (S2 bxor (S2 bsl 5)) band 16#FFFFFFFFFFF,
    go(N - 1, S3, A + pop(S3 band 16#FFFF, 0)).
pop(0, A) -> A;
pop(X, A) -> pop(X band (X - 1), A + 1).
