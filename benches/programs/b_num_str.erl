%% strings: numbers to text and back.
%% repeat: 3
-module(b_num_str).
-export([run/0]).
run() -> loop(400000, 0).
loop(0, A) -> A;
loop(N, A) ->
    X = list_to_integer(integer_to_list(N * 7919)),
    Y = binary_to_integer(integer_to_binary(N, 16), 16),
    Z = case N rem 8 of 0 -> round(binary_to_float(float_to_binary(N / 4, [short]))); _ -> 0 end,
    loop(N - 1, (A + X + Y + Z) rem 1000000007).
