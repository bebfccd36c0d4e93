%% bignums: modular exponentiation of 512-bit numbers.
%% repeat: 1
-module(b_modpow).
-export([run/0]).
run() -> P = (1 bsl 521) - 1, lists:foldl(fun(I, A) -> A bxor pow(I + (1 bsl 200), P - 2 - I, P, 1) end, 0, lists:seq(1, 220)) rem 1000000007.
pow(_, 0, _, A) -> A;
pow(B, E, M, A) when E band 1 =:= 1 -> pow(B * B rem M, E bsr 1, M, A * B rem M);
pow(B, E, M, A) -> pow(B * B rem M, E bsr 1, M, A).
