%% binaries: decoding and encoding UTF-8.
%% repeat: 15
-module(b_utf8).
-export([run/0]).
run() -> B = binary:copy(<<"plain text, åäö €uro 日本 😀 "/utf8>>, 12000), {dec(B, 0), byte_size(enc(B, <<>>)), length(unicode:characters_to_list(B))}.
dec(<<C/utf8, R/binary>>, A) -> dec(R, (A + C) band 16#FFFFFFF);
dec(<<>>, A) -> A.
enc(<<C/utf8, R/binary>>, A) -> enc(R, <<A/binary, (C + 1)/utf8>>);
enc(<<>>, A) -> A.
