%% binaries: matching, building, the module binary, iolists.
-module(s_binaries).
-export([cases/0]).

cases() ->
    Line = small:id(<<"GET /index.html?user=42&lang=en HTTP/1.1">>),
    Csv = small:id(<<"alpha,beta,gamma,delta,epsilon">>),
    B100 = small:id(binary:copy(<<"0123456789">>, 10)),
    B4k = small:id(binary:copy(<<"0123456789abcdef">>, 256)),
    Packet = small:id(<<1:8, 2:16, 3:32, 4:64, 5:3, 6:5, "payload">>),
    Floats = small:id(<< <<(X * 1.5):64/float>> || X <- lists:seq(1, 20) >>),
    L100 = small:id(binary_to_list(B100)),
    Io = small:id([<<"abc">>, "def", [<<"ghi">>, $j, [<<"klm">>]]]),
    Pattern = small:id(binary:compile_pattern([<<"&">>, <<"?">>])),
    [{match_fields, fun(_) -> <<A:8, B:16, C:32, D:64, E:3, F:5, R/binary>> = Packet, {A, B, C, D, E, F, R} end},
     {match_little, fun(_) -> <<_:8, B:16/little, C:32/little, _/binary>> = Packet, B + C end},
     {match_prefix, fun(_) -> <<"GET ", R/binary>> = Line, R end},
     {scan_bytes, fun(_) -> scan(B100, 0) end},
     {scan_utf8, fun(_) -> utf8(B100, 0) end},
     {sum_floats, fun(_) -> floats(Floats, 0.0) end},
     {fields, fun(_) -> fields(Csv, <<>>, []) end},
     {bytes_list, fun(_) -> [X || <<X>> <= B100] end},
     {nibbles, fun(_) -> [X || <<X:4>> <= B100] end},
     {build_fields, fun(N) -> <<N:32, N:16, 7:8, N:64/little>> end},
     {build_with_binary, fun(N) -> <<N:32, Csv/binary>> end},
     {build_float, fun(N) -> <<(N * 1.0):64/float>> end},
     {append_byte, fun(_) -> bytes(100, <<>>) end},
     {append_binary, fun(_) -> join([Csv, Csv, Csv, Csv], <<>>) end},
     {join_two, fun(_) -> <<Csv/binary, ",", Line/binary>> end},
     {comprehension, fun(_) -> << <<(X bxor 1)>> || <<X>> <= B100 >> end},
     {size, fun(_) -> byte_size(B100) + bit_size(Csv) end},
     {at, fun(N) -> binary:at(B100, N band 63) end},
     {first_last, fun(_) -> binary:first(B100) + binary:last(B100) end},
     {part, fun(_) -> binary:part(B100, 10, 20) end},
     {binary_part, fun(_) -> binary_part(B100, 10, 20) end},
     {copy, fun(_) -> binary:copy(Csv) end},
     {copy_3, fun(_) -> binary:copy(<<"ab">>, 3) end},
     {match, fun(_) -> binary:match(Line, <<"HTTP">>) end},
     {match_4k, fun(_) -> binary:match(B4k, <<"xyz">>) end},
     {match_compiled, fun(_) -> binary:match(Line, Pattern) end},
     {matches, fun(_) -> binary:matches(Csv, <<",">>) end},
     {split, fun(_) -> binary:split(Line, <<" ">>) end},
     {split_global, fun(_) -> binary:split(Csv, <<",">>, [global]) end},
     {replace, fun(_) -> binary:replace(Csv, <<",">>, <<";">>, [global]) end},
     {longest_common_prefix, fun(_) -> binary:longest_common_prefix([Line, Csv, B100]) end},
     {decode_unsigned, fun(_) -> binary:decode_unsigned(<<1, 2, 3, 4>>) end},
     {encode_unsigned, fun(N) -> binary:encode_unsigned(N) end},
     {encode_hex, fun(_) -> binary:encode_hex(Csv) end},
     {binary_to_list, fun(_) -> binary_to_list(Csv) end},
     {list_to_binary, fun(_) -> list_to_binary(L100) end},
     {iolist_to_binary, fun(_) -> iolist_to_binary(Io) end},
     {iolist_size, fun(_) -> iolist_size(Io) end},
     {compare, fun(_) -> Csv < Line end},
     {equal, fun(_) -> B100 =:= Csv end},
     {split_binary, fun(_) -> split_binary(B100, 10) end},
     {crc32, fun(_) -> erlang:crc32(B100) end},
     {md5, fun(_) -> erlang:md5(B100) end},
     {base64, fun(_) -> base64:decode(base64:encode(Csv)) end}].

scan(<<X, R/binary>>, A) -> scan(R, A + X);
scan(<<>>, A) -> A.

utf8(<<X/utf8, R/binary>>, A) -> utf8(R, A + X);
utf8(<<>>, A) -> A.

floats(<<X:64/float, R/binary>>, A) -> floats(R, A + X);
floats(<<>>, A) -> A.

fields(<<$,, R/binary>>, F, A) -> fields(R, <<>>, [F | A]);
fields(<<X, R/binary>>, F, A) -> fields(R, <<F/binary, X>>, A);
fields(<<>>, F, A) -> lists:reverse([F | A]).

bytes(0, A) -> A;
bytes(N, A) -> bytes(N - 1, <<A/binary, N>>).

join([B | Bs], A) -> join(Bs, <<A/binary, ",", B/binary>>);
join([], A) -> A.
