%% The unicode and string modules.
-module(t_unicode).
-include("diff.hrl").

cases() ->
    [{to_binary, fun() -> [unicode:characters_to_binary(id(X)) || X <- ["abc", [233], [8364, 128512], <<"é"/utf8>>, ["a", <<"b">>, [[8364]]], []]] end},
     {to_binary_encodings, fun() -> [unicode:characters_to_binary([65, 233], unicode, E) || E <- [utf8, latin1, utf16, {utf16, little}, utf32, {utf32, little}]] ++ [unicode:characters_to_binary([8364], utf8, latin1)] end},
     {from_encodings, fun() -> [unicode:characters_to_list(B, E) || {B, E} <- [{<<65, 233>>, latin1}, {<<0, 65, 32, 172>>, utf16}, {<<65, 0>>, {utf16, little}}, {<<0, 0, 0, 65>>, utf32}, {<<16#D8, 16#3D, 16#DE, 0>>, utf16}]] end},
     {to_list, fun() -> [unicode:characters_to_list(id(X)) || X <- [<<"aé€😀"/utf8>>, ["a", <<"é"/utf8>>], []]] end},
     {incomplete, fun() -> [unicode:characters_to_list(id(X)) || X <- [<<"ab", 226, 130>>, <<226>>, ["a", <<195>>]]] end},
     {errors, fun() -> [unicode:characters_to_list(id(X)) || X <- [<<"ab", 255, "c">>, <<237, 160, 128>>, [65, 16#D800], [16#110000], <<"a", 192, 128>>]] end},
     {errors_binary, fun() -> [unicode:characters_to_binary(id(X)) || X <- [<<"ab", 255, "c">>, [65, 16#D800, 66], ["ok", <<255>>, "rest"]]] end},
     {bad_args, fun() -> [cr(fun() -> unicode:characters_to_list(id(X)) end) || X <- [a, [a], 1]] ++ [cr(fun() -> unicode:characters_to_binary(id(a)) end), cr(fun() -> unicode:characters_to_binary("a", foo, utf8) end)] end},
     {split_across, fun() -> unicode:characters_to_list([<<195>>, <<169>>]) end},
     {bom, fun() -> [unicode:bom_to_encoding(id(B)) || B <- [<<239, 187, 191, "x">>, <<254, 255>>, <<255, 254>>, <<"x">>]] ++ [unicode:encoding_to_bom(utf8)] end},
     {nfc_nfd, fun() -> [unicode:characters_to_nfc_list("e\x{301}"), unicode:characters_to_nfd_list([233]), unicode:characters_to_nfkc_list([16#FB01]), unicode:characters_to_nfkd_binary(<<"é"/utf8>>)] end},
     {long, fun() -> B = binary:copy(<<"aé€😀"/utf8>>, 10000), L = unicode:characters_to_list(B), {length(L), unicode:characters_to_binary(L) =:= B} end},
     {long_latin1, fun() -> L = lists:duplicate(50000, 233), B = unicode:characters_to_binary(L), {byte_size(B), unicode:characters_to_binary(B, utf8, latin1) =:= list_to_binary(L)} end},
     {deep_chardata, fun() -> D = lists:foldl(fun(I, A) -> [A, I rem 128] end, [], lists:seq(1, 20000)), byte_size(unicode:characters_to_binary(D)) end},
     {string_length, fun() -> [string:length(id(S)) || S <- ["abc", "e\x{301}", <<"å€"/utf8>>, [16#1F1F8, 16#1F1EA], ""]] end},
     {string_case, fun() -> [string:uppercase("åbc ß"), string:lowercase("ÅBC"), string:titlecase("åbc"), string:casefold("ẞß"), string:uppercase(<<"ab">>)] end},
     {string_trim, fun() -> [string:trim("  ab  "), string:trim("  ab  ", leading), string:trim("xxabxx", both, "x"), string:trim(<<"\n a \t">>), string:chomp("ab\r\n")] end},
     {string_split, fun() -> [string:split("a b c", " "), string:split("a b c", " ", all), string:split("a b c", " ", trailing), string:split(<<"a-b">>, "-"), string:lexemes("  a b,c", " ,"), string:tokens("a b  c", " ")] end},
     {string_find, fun() -> [string:find("abcabc", "b"), string:find("abcabc", "b", trailing), string:find("abc", "x"), string:prefix("abc", "ab"), string:prefix("abc", "x"), string:str("abc", "c"), string:rstr("abcabc", "b"), string:chr("abc", $b)] end},
     {string_pad, fun() -> [lists:flatten(string:pad("ab", 5)), lists:flatten(string:pad("ab", 5, leading)), lists:flatten(string:pad("ab", 5, both, $*)), string:left("ab", 4), string:right("ab", 4), string:centre("ab", 6, $.)] end},
     {string_slice, fun() -> [string:slice("abcdef", 2), string:slice("abcdef", 1, 3), string:slice(<<"åäö"/utf8>>, 1, 1), string:substr("hello", 2, 3), string:sub_string("hello", 2, 4), string:sub_word("a b c", 2)] end},
     {string_replace, fun() -> [lists:flatten(string:replace("abcb", "b", "X")), lists:flatten(string:replace("abcb", "b", "X", all)), lists:flatten(string:replace("abcb", "b", "X", trailing))] end},
     {string_cmp, fun() -> [string:equal("abc", <<"abc">>), string:equal("ABC", "abc", true), string:equal([233], "e\x{301}", false, nfc), string:is_empty(""), string:is_empty(<<>>)] end},
     {string_reverse, fun() -> [string:reverse("abc"), string:reverse("e\x{301}x"), string:to_graphemes("e\x{301}x"), string:next_grapheme("e\x{301}x"), string:next_codepoint(<<"é"/utf8>>)] end},
     {string_join, fun() -> [string:join(["a", "b"], ", "), string:concat("a", "b"), string:copies("ab", 3), string:words("a b c"), string:span("aab", "a"), string:cspan("aab", "b"), string:take("aabb", "a"), string:nth_lexeme("a.b.c", 2, ".")] end},
     {string_strip, fun() -> [string:strip("  a "), string:strip("xax", both, $x), string:to_upper("abc"), string:to_lower($A)] end},
     {string_jaro, fun() -> case erlang:system_info(otp_release) of "25" -> old; "26" -> old; _ -> string:jaro_similarity("martha", "marhta") end end},
     {graphemes_emoji, fun() -> [length(string:to_graphemes(S)) || S <- ["👨‍👩‍👧", "🇸🇪🇳🇴", "a\x{300}\x{301}", "\r\n", "각"]] end},
     {ends_too_soon, fun() -> [[cr(fun() -> F(B, unicode) end) || F <- [fun unicode:characters_to_binary/2, fun unicode:characters_to_list/2]] || B <- ends_too_soon()] end},
     {upper_many, fun() -> erlang:phash2([catch string:uppercase([C]) || C <- lists:seq(0, 1000)]) end},
     {char_type, fun() -> [io_lib:printable_list(id(S)) || S <- ["abc", [233], [8364], [0]]] ++ [io_lib:printable_unicode_list([8364]), io_lib:char_list([8364]), io_lib:latin1_char_list([233])] end}].

%% Sequences that end too soon, right and wrong so far, in one binary and in several.
ends_too_soon() ->
    [<<240>>, <<237, 160>>, <<224, 128>>, <<240, 128>>, <<240, 128, 128>>, <<244, 144>>, <<244, 144, 128>>,
     <<245>>, <<248>>, <<192>>, <<240, 1>>, <<193, 0>>, [<<237>>, <<160>>], [<<237>>, <<160>>, <<128>>],
     [$a, <<237>>], [<<$a, 240, 128>>, <<128>>, <<128>>], [<<192>>, <<128>>], [<<247>>, <<144, $b>>],
     [<<244>>, <<144>>, 1], [<<240, 128>>, <<1>>], [[<<240, 128>>] | <<128>>], [<<245, 128>>, <<128, 128, 128>>]].
