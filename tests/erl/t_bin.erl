%% Building binaries and bitstrings.
-module(t_bin).
-include("diff.hrl").

ints() -> [0, 1, -1, 127, 128, 255, 256, -128, -129, 65535, 16#123456789ABCDEF, -16#123456789ABCDEF, 1 bsl 59, 1 bsl 60, 1 bsl 63, 1 bsl 64, -(1 bsl 64), 1 bsl 200, -(1 bsl 200) + 12345].
sizes() -> [0, 1, 3, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 59, 60, 61, 63, 64, 65, 96, 128, 129, 256].

h(L) -> erlang:md5(term_to_binary(L)).

app(0, B) -> B;
app(N, B) -> app(N - 1, <<B/binary, N:16>>).

appbits(0, B) -> B;
appbits(N, B) -> appbits(N - 1, <<B/bits, N:5>>).

%% Fields of several kinds, from any bit on, of a bitstring that nothing else uses.
grow(0, B) -> B;
grow(N, B) when N rem 7 =:= 0 -> grow(N - 1, <<B/bits, N/utf8>>);
grow(N, B) when N rem 5 =:= 0 -> grow(N - 1, <<B/bits, 1:3, (float(N)):32/float, (id(<<N:9>>))/bits>>);
grow(N, B) when N rem 3 =:= 0 -> grow(N - 1, <<B/bits, N:(N rem 70), -N:11/little>>);
grow(N, B) -> grow(N - 1, <<B/bits, N:1>>).

%% The same with parts kept that end in the middle of a byte.
kept(0, B, L) -> {B, L};
kept(N, B, L) -> kept(N - 1, <<B/bits, N:3>>, [part(B, N) | L]).

part(B, N) when N rem 50 =:= 0 -> <<P:(bit_size(B) - 1)/bits, _/bits>> = B, {bit_size(B), erlang:phash2(B), P};
part(_, _) -> none.

%% What cannot be appended leaves nothing behind.
spoilt(B, L) -> [case cr(fun() -> <<B/bits, 1:2, 3:7, (id(X)):5>> end) of {ok, V} -> h(V); E -> E end || X <- L] ++ [B, <<B/bits, 0:5>>].

pre(0, B) -> B;
pre(N, B) -> pre(N - 1, <<N:16, B/binary>>).

%% Fields that are no whole bytes, where they end at bytes and where they do not.
odd(A, B, C, D) ->
    [<<A:3, B:5>>, <<A:1, B:7, C:9, D:15>>, <<A:12/little-unit:2, B:4, C:4>>, <<A:6, B:6, C:6, D:6, 1, 2>>,
     <<A:4, B:16/little, C:4>>, <<A:3, "ab", B:5>>, <<A:4, (id(<<1, 2>>))/binary, B:4>>, <<A:8, (id(<<7>>))/binary, B:4, C:12>>,
     <<A:56, B:55, C:1>>, <<A:57, B:7>>, <<A:3, B:3>>, <<(id(<<"x">>))/binary, A:3, B:13>>].

%% The same, appended to what is there.
odd_onto(X, A, B, C, D) -> [<<X/binary, A:6, B:6, C:6, D:6>>, <<X/bits, A:2, B:6>>, <<X/bits, A:2, B:2>>, <<X/bits, A:20, B:12/little-signed, C:8>>].

%% Two ways to go on from a bitstring that ends inside a byte, and what both have left of it.
append_open(N) ->
    B = appbits(200, <<0:N>>),
    X = <<B/bits, 1:N>>,
    Y = <<B/bits, 2:N, 3:5>>,
    {h(B), h(X), h(Y), h(<<X/bits, 7:3>>), h(<<Y/bits, 7:3>>), bit_size(X), bit_size(Y), h(B)}.

%% The same in two processes, while a third looks on.
append_elsewhere(N) ->
    B = appbits(200, <<0:N>>),
    Me = self(),
    Ask = fun(F) -> spawn_link(fun() -> receive Bits -> Me ! {self(), F(Bits)} end end) end,
    Ps = [Ask(fun(Bits) -> h(<<Bits/bits, 1:N, 2:9>>) end), Ask(fun(Bits) -> h(<<Bits/bits, 5:N, 7:3>>) end), Ask(fun h/1)],
    [P ! B || P <- Ps],
    Mine = h(<<B/bits, 0:N, 1:1>>),
    {Mine, [receive {P, H} -> H end || P <- Ps], h(B)}.

open_literal() -> <<"a bitstring of the module that is too long for a heap, so that its bytes lie elsewhere, and ends in", 5:3>>.

many(A) -> <<A, A:16, A:24, A:32, A:40, A:48, A:56, A:4, A:4, A:12, A:20, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A>>.

cases() ->
    [{odd_fields, fun() -> [odd(A, -A, A bsr 1, A bxor 5) || A <- [0, 1, -1, 37, 16#123456789abc, -16#123456789abc, 1 bsl 58, 1 bsl 70]] end},
     {odd_fields_wrong, fun() -> [cr(fun() -> odd(1, X, 2, 3) end) || X <- [a, 1.0, <<1>>]] end},
     {odd_fields_appended, fun() -> [odd_onto(X, A, 3, -A, 7) || X <- [<<>>, id(<<"abc">>), binary:copy(<<"ab">>, 100)], A <- [0, -1, 21, 1 bsl 40]] end},
     {odd_fields_in_a_loop, fun() -> lists:foldl(fun(N, B) -> <<B/bits, N:6, (N bsr 1):6, (N * 7):6, N:6>> end, <<>>, lists:seq(1, 300)) end},
     {odd_fields_comprehended, fun() -> [<< <<X:6, (X bsr 3):2>> || X <- lists:seq(1, 200) >>, << <<X:3>> || X <- lists:seq(1, 99) >>] end},
     {many_segments, fun() -> [many(A) || A <- [0, 5, -1, 16#ffffffffff]] end},
     {bytes, fun() -> [<<(id(1)), (id(255)), (id(256)), (id(-1))>>, <<>>, <<"abc">>, <<"abc", 0>>] end},
     {int_big, fun() -> h([<<I:S/big>> || I <- ints(), S <- sizes()]) end},
     {int_little, fun() -> h([<<I:S/little>> || I <- ints(), S <- sizes()]) end},
     {int_signed, fun() -> h([<<I:S/signed-little>> || I <- ints(), S <- sizes()]) end},
     {int_native, fun() -> [<<I:S/native>> || I <- [1, 258], S <- [8, 16, 32]] end},
     {int_show, fun() -> [<<(id(I)):S>> || I <- [5, -5], S <- [4, 8, 12, 16]] end},
     {int_little_show, fun() -> [<<(id(I)):S/little>> || I <- [16#12345, -16#12345], S <- [4, 8, 12, 16, 20, 24]] end},
     {int_unaligned, fun() -> h([<<5:3, I:S, 1:2>> || I <- ints(), S <- sizes()]) end},
     {int_unaligned_little, fun() -> h([<<5:3, I:S/little, 1:2>> || I <- ints(), S <- sizes()]) end},
     {int_units, fun() -> [<<(id(3)):2/unit:8>>, <<(id(3)):3/unit:5>>, <<(id(1)):(id(4))/unit:16>>] end},
     {int_var_size, fun() -> [<<(id(7)):(id(S))>> || S <- [0, 3, 8, 13]] end},
     {int_const_size, fun() -> [<<(id(7)):0>>, <<(id(7)):1>>, <<(id(7)):8>>, <<(id(7)):64>>, <<(id(7)):100>>, <<(id(1 bsl 80)):88>>] end},
     {int_bad_size, fun() -> [c(fun() -> <<1:(id(S))>> end) || S <- [-1, a, 1.0, 1 bsl 64, 1 bsl 100]] end},
     {int_bad_value, fun() -> [c(fun() -> <<(id(V)):8>> end) || V <- [a, 1.0, <<1>>, "x", {}]] end},
     {float_64, fun() -> [<<(id(F))/float>> || F <- [0.0, 1.0, -1.5, 1.0e300, 5.0e-324, 3, 1 bsl 70]] end},
     {float_32, fun() -> [<<(id(F)):32/float>> || F <- [0.0, 1.0, -1.5, 0.1, 1.0e-40, 3.4e38, 3]] end},
     {float_16, fun() -> [<<(id(F)):16/float>> || F <- [0.0, 1.0, -1.5, 0.1, 65504.0, 6.0e-8, 1.0e-5, 3, 2049.0, 0.333]] end},
     {float_little, fun() -> [<<(id(1.5)):S/float-little>> || S <- [16, 32, 64]] end},
     {float_unaligned, fun() -> [<<1:1, (id(1.5)):S/float>> || S <- [16, 32, 64]] end},
     {float_bad, fun() -> [c(fun() -> <<(id(a))/float>> end), c(fun() -> <<(id(1.0)):(id(17))/float>> end), c(fun() -> <<(id(1.0e300)):32/float>> end), c(fun() -> <<(id(1.0e10)):16/float>> end), c(fun() -> <<(id(1 bsl 2000))/float>> end)] end},
     {binary_whole, fun() -> [<<(id(<<1, 2>>))/binary, (id(<<3>>))/binary>>, <<(id(<<1:3>>))/bits, (id(<<2:5>>))/bits>>] end},
     {binary_size, fun() -> [<<(id(<<1, 2, 3>>)):2/binary>>, <<(id(<<1, 2, 3>>)):(id(0))/binary>>, <<(id(<<255, 0>>)):5/bits>>, <<(id(<<1, 2, 3, 4>>)):2/binary-unit:12>>] end},
     {binary_bad, fun() -> [c(fun() -> <<(id(a))/binary>> end), c(fun() -> <<(id(<<1>>)):2/binary>> end), c(fun() -> <<(id(<<1:3>>))/binary>> end), c(fun() -> <<(id(<<1>>)):(id(-1))/binary>> end), c(fun() -> <<(id("ab"))/binary>> end), c(fun() -> <<1, (id(<<1:3>>))/binary-unit:2>> end)] end},
     {utf8, fun() -> [<<(id(C))/utf8>> || C <- [0, 65, 127, 128, 2047, 2048, 16#FFFF, 16#10000, 16#10FFFF]] end},
     {utf16, fun() -> [{<<(id(C))/utf16>>, <<(id(C))/utf16-little>>} || C <- [0, 65, 16#FFFF, 16#10000, 16#10FFFF]] end},
     {utf32, fun() -> [{<<(id(C))/utf32>>, <<(id(C))/utf32-little>>} || C <- [0, 65, 16#10FFFF]] end},
     {utf_bad, fun() -> [c(fun() -> <<(id(C))/utf8>> end) || C <- [-1, 16#D800, 16#DFFF, 16#110000, a, 1.0]] ++ [c(fun() -> <<(id(16#D800))/utf16>> end), c(fun() -> <<(id(16#110000))/utf32>> end)] end},
     {utf_unaligned, fun() -> [<<1:1, (id(233))/utf8>>, <<1:3, (id(233))/utf16>>] end},
     {utf_string, fun() -> [<<"åäö"/utf8>>, <<"ab"/utf16>>, <<"ab"/utf32-little>>] end},
     {string_units, fun() -> [<<"abc":16>>, <<"ab":32/little>>, <<"ab":4>>] end},
     {append_loop, fun() -> B = app(5000, <<>>), {byte_size(B), erlang:md5(B)} end},
     {append_shared, fun() -> B = app(10, <<>>), X = <<B/binary, 1>>, Y = <<B/binary, 2>>, Z = <<X/binary, 3>>, {X =:= Y, binary:last(X), binary:last(Y), byte_size(Z), binary:part(Z, byte_size(Z), -2)} end},
     {append_bits, fun() -> B = appbits(1001, <<>>), {bit_size(B), erlang:phash2(B)} end},
     %% A bitstring that ends inside a byte: what is appended twice, also by others, is apart.
     {append_bits_shared, fun() -> [append_open(N) || N <- lists:seq(1, 17)] end},
     {append_bits_after_send, fun() -> [append_elsewhere(N) || N <- [1, 3, 7, 9]] end},
     {append_bits_of_literal, fun() -> B = open_literal(), [{h(<<B/bits, N:3>>), h(<<(id(B))/bits, N:11, 1:1>>)} || N <- [1, 5, 7]] ++ [h(B)] end},
     {append_bits_copies_seldom, heavy, fun() -> B = appbits(200000, <<>>), {bit_size(B), erlang:phash2(B)} end},
     {append_sub, fun() -> B = app(100, <<>>), <<S:50/binary, _/binary>> = B, S2 = <<S/binary, "xx">>, {byte_size(S2), erlang:md5(S2), erlang:md5(B)} end},
     {append_after_send, fun() -> B = app(100, <<>>), S = self(), spawn(fun() -> S ! <<B/binary, "other">> end), C = <<B/binary, "mine">>, receive D -> {binary:part(C, byte_size(C), -4), binary:part(D, byte_size(D), -5)} end end},
     {prepend_loop, fun() -> B = pre(2000, <<>>), {byte_size(B), erlang:md5(B)} end},
     {append_large, heavy, fun() -> B = app(500000, <<>>), {byte_size(B), erlang:crc32(B)} end},
     {bs_comprehension, fun() -> [<< <<X:4>> || X <- [1, 2, 3] >>, << <<(X + 1)>> || <<X>> <= id(<<1, 2, 3>>) >>, << <<X/utf8>> || X <- [233, 8364] >>] end},
     {sizes, fun() -> [{byte_size(id(B)), bit_size(id(B)), size(id(B))} || B <- [<<>>, <<1>>, <<1:1>>, <<1:9>>, <<0:80>>]] end},
     {size_bad, fun() -> [c(fun() -> byte_size(id(a)) end), c(fun() -> bit_size(id([])) end), c(fun() -> size(id(a)) end)] end},
     {equal_forms, fun() -> A = id(<<1, 2, 3>>), <<_:4, B:24/bits, _/bits>> = id(<<0, 16, 32, 48>>), [A =:= <<1, 2, 3>>, B =:= A, A =:= app(0, <<1, 2, 3>>)] end},
     {heap_to_refc, fun() -> [byte_size(<<(id(binary:copy(<<1>>, N)))/binary, 0>>) || N <- [0, 1, 62, 63, 64, 65, 200]] end},
     {nested_build, fun() -> <<1, (<<2, (id(3))>>)/binary, (<< <<X>> || X <- [4, 5] >>)/binary>> end},
     {mixed_segments, fun() -> <<(id(1)):3, (id(<<7:5>>))/bits, (id(2.0))/float, (id($x))/utf8, (id(-3)):16/little, "str">> end},
     {all_ones, fun() -> [<<-1:N>> || N <- [1, 7, 8, 9, 63, 64, 65]] end},
     {size_zero_segments, fun() -> <<(id(5)):0, (id(<<>>))/binary, (id(7)):8>> end},
     {huge_size, fun() -> cr(fun() -> <<0:(id(1 bsl 61))>> end) end},
     {split_builds, fun() -> B = id(binary:copy(<<"0123456789">>, 30)), h([begin <<X:N/binary, Y/binary>> = B, <<Y/binary, X/binary>> end || N <- lists:seq(0, 300, 7)]) end},
     {bits_grow, fun() -> [h(grow(N, <<>>)) || N <- [1, 2, 3, 20, 100, 1000]] end},
     {bits_grow_long, heavy, fun() -> B = grow(300000, <<>>), {bit_size(B), h(B)} end},
     {bits_parts_kept, fun() -> {B, L} = kept(1000, <<>>, []), {h(B), h(L)} end},
     {bits_spoilt, fun() -> spoilt(appbits(3, <<>>), [1, a, 1.0, 31, 32, <<>>]) end},
     {bits_shared, fun() -> B = appbits(101, <<>>), [h(<<B/bits, X:3>>) || X <- [0, 7, 5, 2]] ++ [h(B)] end},
     {bits_comprehension, heavy, fun() -> B = << <<N:3>> || N <- lists:seq(1, 200000) >>, {bit_size(B), h(B), h(<< <<(N bxor 5):5>> || <<N:3>> <= B, N > 2 >>)} end},
     {gc_survive, fun() -> B = app(1000, <<>>), <<_:100/binary, S:200/binary, _/binary>> = B, erlang:garbage_collect(), {erlang:md5(S), erlang:md5(B)} end},
     {print, fun() -> [lists:flatten(io_lib:format("~p ~w ~s", [B, B, B])) || B <- [<<"abc">>, <<>>]] ++ [lists:flatten(io_lib:format("~p ~w", [B, B])) || B <- [<<1, 2>>, <<1:3>>, <<"é"/utf8>>, <<"abc", 5:3>>, <<255, 254>>]] end}].
