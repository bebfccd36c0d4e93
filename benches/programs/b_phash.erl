%% term format: hashing and comparing terms.
%% repeat: 6
-module(b_phash).
-export([run/0]).
run() -> T = [{I, integer_to_binary(I), [a, b, I / 2], "string"} || I <- lists:seq(1, 5000)], U = binary_to_term(term_to_binary(T)), {loop(40, T, 0), cmp(150, T, U, 0)}.
loop(0, _, A) -> A;
loop(N, T, A) -> loop(N - 1, T, (A + lists:foldl(fun(X, B) -> B bxor erlang:phash2(X) end, N, T)) band 16#FFFFFFF).
cmp(0, _, _, A) -> A;
cmp(N, T, U, A) -> case T =:= U andalso not (T < U) of true -> cmp(N - 1, T, U, A + 1); false -> bad end.
