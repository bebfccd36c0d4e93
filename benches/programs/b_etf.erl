%% term format: encoding and decoding.
%% repeat: 3
-module(b_etf).
-export([run/0]).
run() -> T = [{I, integer_to_binary(I), [a, b, I / 2], #{key => I, <<"b">> => "string"}} || I <- lists:seq(1, 4000)], loop(25, T, 0).
loop(0, _, A) -> A;
loop(N, T, A) -> B = term_to_binary(T), T2 = binary_to_term(B), loop(N - 1, T2, A + byte_size(B)).
