%% binaries: base64 of the library and hexadecimal by hand.
%% repeat: 6
-module(b_base64).
-export([run/0]).
run() -> B = binary:copy(<<"The quick brown fox \000\377 jumps. ">>, 4000), loop(10, B, 0).
loop(0, _, A) -> A;
loop(N, B, A) ->
    E = base64:encode(B),
    B = base64:decode(E),
    H = << <<(hex(X bsr 4)), (hex(X band 15))>> || <<X>> <= B >>,
    loop(N - 1, B, A + byte_size(E) + erlang:crc32(H) band 16#FFFF).
hex(X) when X < 10 -> $0 + X;
hex(X) -> $a + X - 10.
