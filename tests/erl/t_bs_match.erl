%% Matching binaries and bitstrings.
-module(t_bs_match).
-include("diff.hrl").

data() -> <<16#01, 16#23, 16#45, 16#67, 16#89, 16#AB, 16#CD, 16#EF, 16#FE, 16#DC, 16#BA, 16#98, 16#76, 16#54, 16#32, 16#10, 16#80, 16#7F, 16#FF, 0>>.

int(S, O) -> case data() of <<_:O, X:S, _/bits>> -> X; _ -> nomatch end.
sint(S, O) -> case data() of <<_:O, X:S/signed, _/bits>> -> X; _ -> nomatch end.
lint(S, O) -> case data() of <<_:O, X:S/little, _/bits>> -> X; _ -> nomatch end.
slint(S, O) -> case data() of <<_:O, X:S/signed-little, _/bits>> -> X; _ -> nomatch end.

sizes() -> [0, 1, 3, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 40, 59, 60, 61, 63, 64, 65, 72, 96, 128, 150].
offs() -> [0, 1, 4, 7, 8, 9, 13].

h(L) -> erlang:md5(term_to_binary(L)).

sum(<<X, R/binary>>, A) -> sum(R, A + X);
sum(<<>>, A) -> A.

bits(<<X:1, R/bits>>, A) -> bits(R, A + X);
bits(<<>>, A) -> A.

cp(<<C/utf8, R/binary>>) -> [C | cp(R)];
cp(<<C, R/binary>>) -> [{bad, C} | cp(R)];
cp(<<>>) -> [].

cp16(<<C/utf16, R/binary>>) -> [C | cp16(R)];
cp16(R) -> [{rest, R}].

tok(<<" ", R/binary>>) -> tok(R);
tok(<<C, _/binary>> = B) when C >= $0, C =< $9 -> {num, num(B, 0)};
tok(<<"let", R/binary>>) -> {'let', R};
tok(<<"le", R/binary>>) -> {le, R};
tok(<<>>) -> eof;
tok(<<C/utf8, R/binary>>) -> {char, C, R}.

num(<<C, R/binary>>, A) when C >= $0, C =< $9 -> num(R, A * 10 + C - $0);
num(R, A) -> {A, R}.

tlv(<<T, L, V:L/binary, R/binary>>) -> [{T, V} | tlv(R)];
tlv(R) -> {rest, R}.

hdr(<<4:4, L:4, _:8, Len:16, Id:16, F:3, Off:13, Rest/binary>>) when L >= 5 -> {L, Len, Id, F, Off, Rest};
hdr(_) -> bad.

two(<<A:8, B:8>>) -> {A, B};
two(<<A:8>>) -> {A};
two(B) when is_binary(B) -> {bin, byte_size(B)};
two(B) when is_bitstring(B) -> {bits, bit_size(B)};
two(_) -> other.

lit(<<1, 2, 3, _/binary>>) -> a;
lit(<<1, 2, _/binary>>) -> b;
lit(<<"hello">>) -> c;
lit(<<1:4, 15:4>>) -> d;
lit(<<-1:8/signed>>) -> e;
lit(<<2.0:32/float, _/bits>>) -> f;
lit(_) -> z.

huge_binary(<<B:16#20000000/binary, _/bits>>) -> B; huge_binary(_) -> no.
huge_integer(<<X:16#100000000, _/bits>>) -> X; huge_integer(_) -> no.
huge_skip(<<_:16#20000000/binary, B, _/bits>>) -> B; huge_skip(_) -> no.
huge_rest(<<B, _:(1 bsl 70)>>) -> B; huge_rest(_) -> no.

rest_twice(X) -> case X of <<>> -> true -- []; <<_>> -> X end /= X.

cases() ->
    [{rest_twice, fun() -> [cr(fun() -> rest_twice(id(X)) end) || X <- [<<1>>, <<>>, <<1, 2>>]] end},
     {wide_zero, fun() -> N = id(1 bsl 24), B = <<0:N, 13>>, <<X:N, 13>> = B, <<Y:N/little, 13>> = B, {X, Y} end},
     {huge_sizes, fun() -> [huge_binary(id(<<1, 2>>)), huge_integer(id(<<1, 2>>)), huge_skip(id(<<1, 2>>)), huge_rest(id(<<1, 2>>))] end},
     {ints, fun() -> h([int(S, O) || S <- sizes(), O <- offs()]) end},
     {signed, fun() -> h([sint(S, O) || S <- sizes(), O <- offs()]) end},
     {little, fun() -> h([lint(S, O) || S <- sizes(), O <- offs()]) end},
     {signed_little, fun() -> h([slint(S, O) || S <- sizes(), O <- offs()]) end},
     {ints_show, fun() -> [{S, O, int(S, O), sint(S, O), lint(S, O), slint(S, O)} || S <- [4, 8, 12, 16, 64, 65], O <- [0, 3]] end},
     {ints_nomatch, fun() -> [int(S, O) || S <- [160, 161, 200, 153], O <- [0, 8]] end},
     {fixed, fun() -> <<A:8, B:16, C:24, D:32, E:64, _/binary>> = id(data()), [A, B, C, D, E] end},
     {fixed_signed, fun() -> <<_:128, A:8/signed, B:16/signed, _/binary>> = id(data()), [A, B] end},
     {fixed_60ish, fun() -> X = id(data()), <<_:7/binary, A:59, _/bits>> = X, <<_:8/binary, B:60, _/bits>> = X, <<_:8/binary, C:61, _/bits>> = X, <<_:8/binary, D:64/signed, _/bits>> = X, [A, B, C, D] end},
     {floats, fun() -> [begin <<X:S/float>> = <<F:S/float>>, X end || S <- [16, 32, 64], F <- [0.0, -0.0, 1.0, -2.5, 0.1, 1000.0]] end},
     {floats_little, fun() -> [begin <<X:S/float-little>> = <<F:S/float-little>>, X end || S <- [16, 32, 64], F <- [1.0, -2.5]] end},
     {float_nan_inf, fun() -> [case id(B) of <<X/float>> -> X; _ -> nomatch end || B <- [<<16#7FF0000000000000:64>>, <<16#FFF0000000000000:64>>, <<16#7FF8000000000000:64>>, <<16#7FEFFFFFFFFFFFFF:64>>]] end},
     {float32_nan_inf, fun() -> [case id(B) of <<X:32/float>> -> X; _ -> nomatch end || B <- [<<16#7F800000:32>>, <<16#FFC00000:32>>, <<16#7F7FFFFF:32>>, <<1:32>>]] end},
     {float16_all_kinds, fun() -> [case id(B) of <<X:16/float>> -> X; _ -> nomatch end || B <- [<<16#7C00:16>>, <<16#7E00:16>>, <<16#7BFF:16>>, <<1:16>>, <<16#0400:16>>, <<16#8000:16>>]] end},
     {float_unaligned, fun() -> <<_:3, X/float, _/bits>> = <<5:3, 1.25/float, 0:5>>, X end},
     {float_bad_size, fun() -> [case id(data()) of <<X:S/float, _/bits>> -> X; _ -> nomatch end || S <- [0, 8, 17]] end},
     {binary_tail, fun() -> <<A, R/binary>> = id(<<1, 2, 3>>), <<B:2/binary, T/binary>> = R, [A, R, B, T] end},
     {binary_var, fun() -> tlv(id(<<1, 3, "abc", 2, 0, 3, 1, "z", 9, 9, "short">>)) end},
     {bits_tail, fun() -> <<A:3, R/bits>> = id(<<16#AB, 16#CD>>), [A, R, bit_size(R)] end},
     {binary_tail_unaligned_fails, fun() -> [case id(<<1, 2>>) of <<_:N, R/binary>> -> {ok, R}; _ -> nomatch end || N <- [0, 1, 8, 9, 16, 17]] end},
     {unit, fun() -> [case id(data()) of <<X:N/binary-unit:4, _/bits>> -> X; _ -> nomatch end || N <- [0, 1, 3, 40, 41]] end},
     {tail_unit, fun() -> [case id(B) of <<_:8, R/binary-unit:16>> -> R; _ -> nomatch end || B <- [<<1, 2, 3>>, <<1, 2>>, <<1>>]] end},
     {skip, fun() -> <<_:5/binary, _:3, X:5, _/bits>> = id(data()), X end},
     {size_expr, fun() -> case id(<<3, 1, 2, 3, 4, 5>>) of <<N, B:(N + 1)/binary, R/binary>> -> {B, R} end end},
     {size_expr_neg, fun() -> case id(<<3, 1, 2>>) of <<N, _:(N - 10)/binary, _/binary>> -> yes; _ -> no end end},
     {size_not_integer, fun() -> S = id(a), case id(<<1, 2>>) of <<_:S, _/bits>> -> yes; _ -> no end end},
     {sum_loop, fun() -> sum(binary:copy(data(), 100), 0) end},
     {bits_loop, fun() -> bits(data(), 0) end},
     {utf8, fun() -> cp(<<"aåä€😀"/utf8>>) end},
     {utf8_bad, fun() -> [cp(id(B)) || B <- [<<255>>, <<195>>, <<195, 40>>, <<226, 130>>, <<237, 160, 128>>, <<192, 128>>, <<244, 144, 128, 128>>, <<240, 159, 152, 128>>, <<224, 128, 128>>, <<"a", 128, "b">>]] end},
     {utf8_unaligned, fun() -> <<_:3, C/utf8, R/bits>> = <<5:3, "é"/utf8, 1:5>>, {C, R} end},
     {utf16, fun() -> [cp16(<<"aé😀"/utf16>>), cp16(<<16#D800:16, 65:16>>), cp16(<<16#DC00:16>>), cp16(<<16#D83D:16, 16#DE00:16>>), cp16(<<1>>)] end},
     {utf16_little, fun() -> <<A/utf16-little, B/utf16-little>> = id(<<"a😀"/utf16-little>>), [A, B] end},
     {utf32, fun() -> [case id(B) of <<C/utf32>> -> C; _ -> nomatch end || B <- [<<65:32>>, <<16#10FFFF:32>>, <<16#110000:32>>, <<16#D800:32>>, <<1:24>>]] end},
     {utf32_little, fun() -> <<A/utf32-little>> = id(<<128512:32/little>>), A end},
     {utf_skip, fun() -> <<_/utf8, X/utf8, _/binary>> = id(<<"é€z"/utf8>>), X end},
     {tokens, fun() -> [tok(id(B)) || B <- [<<"  42x">>, <<"let x">>, <<"leave">>, <<"l">>, <<"">>, <<"é"/utf8>>, <<"  ">>]] end},
     {header, fun() -> [hdr(id(<<16#45, 0, 0, 60, 16#1c, 16#46, 16#40, 0, "rest">>)), hdr(id(<<16#44, 0, 0, 60, 0, 0, 0, 0>>)), hdr(id(<<16#45>>))] end},
     {clauses, fun() -> [two(id(X)) || X <- [<<1, 2>>, <<1>>, <<1, 2, 3>>, <<1:3>>, a, <<>>, <<1, 2, 1:1>>]] end},
     {literals, fun() -> [lit(id(X)) || X <- [<<1, 2, 3, 4>>, <<1, 2>>, <<"hello">>, <<31>>, <<255>>, <<2.0:32/float>>, <<"help">>, a]] end},
     {string_segment, fun() -> [case id(X) of <<"GET ", P/binary>> -> P; <<"PO", _:8, "T">> -> post; _ -> no end || X <- [<<"GET /">>, <<"POST">>, <<"PO">>]] end},
     {match_in_head_and_body, fun() -> <<A:4, B:4>> = X = id(<<16#5A>>), <<C:8>> = X, [A, B, C] end},
     {bound_value, fun() -> X = id(5), [case id(B) of <<X, _/binary>> -> yes; _ -> no end || B <- [<<5, 6>>, <<6, 5>>, <<5>>]] end},
     {bound_tail, fun() -> T = id(<<2, 3>>), case id(<<1, 2, 3>>) of <<1, T/binary>> -> yes; _ -> no end end},
     {repeated_var, fun() -> [case id(B) of <<L, S:L, S:L, _/bits>> -> {same, S}; _ -> no end || B <- [<<4, 16#33>>, <<4, 16#34>>, <<8, 1, 1>>, <<8, 1, 2>>]] end},
     {badmatch, fun() -> [c(fun() -> <<_:16>> = id(X), ok end) || X <- [<<1>>, <<1, 2, 3>>, a]] end},
     {function_clause, fun() -> c(fun() -> sum(id(<<1:3>>), 0) end) end},
     {sub_sub, fun() -> <<_:3, A/bits>> = id(data()), <<_:5, B/bits>> = A, <<_:2/binary, C:4/binary, _/bits>> = B, C end},
     {sub_survives, fun() -> L = [begin <<_:N/binary, S:2/binary, _/binary>> = data(), S end || N <- lists:seq(0, 18)], garbage_collect(), h(L) end},
     {comprehension, fun() -> [[X || <<X:4>> <= id(<<16#12, 16#34>>)], [X || <<1:1, X:7>> <= id(<<129, 2, 131>>)], << <<X:2>> || <<X:3>> <= id(<<16#12, 16#34, 16#56>>) >>, [{X, Y} || <<X, Y:4/bits, _:4>> <= id(<<1, 2, 3, 4, 5>>)]] end},
     {comprehension_bad, fun() -> [c(fun() -> [X || <<X>> <= id(abc)] end), c(fun() -> << <<X>> || <<X>> <= id(1) >> end)] end},
     {guard_bits, fun() -> [case id(B) of X when bit_size(X) rem 8 =/= 0 -> unaligned; X when byte_size(X) > 2 -> long; _ -> short end || B <- [<<1:3>>, <<1, 2, 3>>, <<1>>]] end},
     {is_types, fun() -> [{is_binary(id(B)), is_bitstring(id(B))} || B <- [<<>>, <<1>>, <<1:7>>, <<1:8>>, a, []]] end},
     {large_int, fun() -> <<X:1000, _/bits>> = id(binary:copy(data(), 10)), erlang:phash2(X) end},
     {large_little_signed, fun() -> <<X:999/little-signed, _/bits>> = id(binary:copy(<<255, 254>>, 100)), X end},
     {backtrack, fun() -> [back(id(B)) || B <- [<<1, 2, 3, 4>>, <<1, 9, 3, 5>>, <<1, 9, 3, 4>>, <<7>>]] end},
     {nested_tuple, fun() -> {<<A, _/binary>>, [<<B:4, _:4>>]} = id({<<1, 2>>, [<<16#F0>>]}), [A, B] end},
     {map_bin, fun() -> #{k := <<X:16>>} = id(#{k => <<1, 2>>}), X end},
     {reuse_ctx, fun() -> B = id(<<1, 2, 3, 4>>), <<A:2/binary, _/binary>> = B, <<C:3/binary, _/binary>> = B, [A, C, B] end},
     {split_on, fun() -> split(id(<<"a,bb,,ccc">>), <<>>, []) end},
     {huge_tail, fun() -> [case id(<<0:N>>) of <<_, _:65600>> -> tail; <<_:70000, _/bits>> -> skipped; <<_:3, _:131072>> -> larger; _ -> none end || N <- [65607, 65608, 65609, 70000, 131075, 64]] end},
     {short_fields, fun() -> B = id(<<16#F1, 16#82, 16#73, 16#E4, 16#55, 16#C6, 16#37, 16#A8, 16#99>>), [short(N, B) || N <- lists:seq(1, 9)] ++ [short(N, <<5:3, B/binary>>) || N <- lists:seq(1, 9)] end},
     {short_fields_walk, fun() -> B = << <<(N * 37):8>> || N <- lists:seq(1, 40) >>, [fields(P, B) || P <- lists:seq(0, 9)] end},
     {short_fail_keeps_context, fun() -> [keep(id(X)) || X <- [<<1, 2, 3>>, <<1, 9, 3>>, <<1, 2>>, <<1>>, <<7, 7>>, <<1:7>>]] end},
     {short_from_parts, fun() -> B = binary:copy(<<1, 2, 3, 250>>, 100), <<_:4, R:300/bitstring, _/bitstring>> = B, <<_, S/binary>> = B, [total(R, 0), total(S, 0), total(binary:part(B, 3, 9), 0), total(<<>>, 7)] end},
     {short_build, fun() -> X = id(16#1234567890ABCD), B = id(<<"bytes">>), L = id(binary:copy(<<"long">>, 30)), N = id(-2), [<<X:8, X:16/little, X:24, X:56, N:32, N:16/little>>, <<"s", B/binary, L/binary, X:48>>, <<L/binary, L/binary>>, <<B/binary>>, c(fun() -> <<B/binary, (id(a)):8>> end), c(fun() -> <<(id(a))/binary, 1>> end), <<(1 bsl 70 + 5):16, X:40>>] end},
     {short_build_bits, fun() -> P = id(<<5:3>>), Q = id(<<1, 2, 3:4>>), [<<P/bitstring, 7:8>>, <<Q/bitstring, 7:8>>, c(fun() -> <<Q/binary, 1>> end), <<(id(<<1, 2, 3>>))/binary, P/bitstring>>] end},
     {short_append, fun() -> F = fun F(0, A) -> A; F(N, A) -> F(N - 1, <<A/binary, N:8, (N * 3):16/little, "x">>) end, A = F(400, <<>>), B = <<A/binary, 1>>, C = <<A/binary, 2, 3>>, {byte_size(A), erlang:md5(A), binary:last(B), binary:part(C, byte_size(C), -2), binary:last(A)} end},
     {zero_size, fun() -> <<X:0, Y:0/binary, Z/binary>> = id(<<1>>), [X, Y, Z] end},
     {open_unaligned, fun() -> H = <<1, 200, 3, 250, 5, 66, 7, 128, 9, 10, 255, 12, 13>>, L = binary:copy(<<9, 255, 128, 1>>, 40), [[at(P, B) || P <- lists:seq(0, 16)] || B <- [H, L, binary:part(L, 3, 20), binary:part(H, 1, 9), <<1>>]] end},
     {open_wide, fun() -> [wide(id(<<A:64, B:64, C:61, D:3, E:60, F:4>>)) || A <- edges(), {B, C} <- [{A, A}, {bnot A, 1 bsl 60}], {D, E, F} <- [{5, A, 9}, {0, -1, 0}]] end},
     {open_utf8, fun() -> [{B, cp(B), shifted(<<5:3, B/binary, 9:5>>)} || B <- code_points()] end},
     {open_two, fun() -> A = binary:copy(<<1, 2, 3, 4, 5>>, 30), {zip(A, <<A/binary, 7, 8>>, 0), zip(<<1, 2>>, <<3, 4>>, 0), nested(A, A, 0)} end},
     {open_called, fun() -> called(binary:copy(<<3, 1, 4, 1, 5>>, 50), 0, []) end},
     {open_append, fun() -> {A, B} = both(300, <<>>, <<>>), {h(A), h(B), h(older(100, <<"o">>, <<>>))} end},
     {open_append_utf8, fun() -> [h(text([C || _ <- lists:seq(1, 200)], <<"x">>)) || C <- [0, 127, 128, 2047, 2048, 16#D7FF, 16#E000, 16#FFFF, 16#10000, 16#10FFFF]] ++ [catch text([65, C], <<>>) || C <- [-1, 16#D800, 16#110000, a, 1 bsl 70]] end},
     {open_create, fun() -> [made(A, B) || A <- [0, 1, -1, 255, 1 bsl 59, 1 bsl 60, -(1 bsl 60) - 1, 1 bsl 70], B <- [0, 127, 128, 16#20AC]] end},
     {open_sizes, fun() -> [{byte_size(B), bit_size(B), catch byte_size({B})} || B <- [<<>>, <<1:3>>, binary:copy(<<7>>, 100), binary:part(binary:copy(<<7>>, 100), 3, 70), <<(binary:copy(<<7>>, 90))/binary, 1:7>>]] end},
     {huge_size, fun() -> [case id(<<1, 2>>) of <<_:S/binary, _/binary>> -> yes; _ -> no end || S <- [1 bsl 60, 1 bsl 64, 1 bsl 70, -1]] end}].

short(1, <<A:8, _/bits>>) -> A;
short(2, <<A:16/signed, B:8/signed, _/bits>>) -> {A, B};
short(3, <<A:16/little, B:24/little-signed, _/bits>>) -> {A, B};
short(4, <<A:3, B:5/signed, C:17, _/bits>>) -> {A, B, C};
short(5, <<A:56, _/bits>>) -> A;
short(6, <<_:13, A:51, _/bits>>) -> A;
short(7, <<A:57, _/bits>>) -> A;
short(8, <<16#F1, 16#82:8, A:1, _/bits>>) -> A;
short(9, <<A:56/little-signed, B/bits>>) -> {A, B};
short(_, _) -> none.

fields(P, B) ->
    S = 8 * byte_size(B) - P - 11,
    case B of
        <<_:P, A:11/signed, R:S/bits>> -> [A | fields_at(R)];
        _ -> none
    end.
fields_at(<<A:13, B:5, R/bits>>) -> [A, B | fields_at(R)];
fields_at(R) -> [R].

keep(<<1, 2, X, R/binary>>) -> {a, X, R};
keep(<<1, X, R/binary>>) -> {b, X, R};
keep(<<1, R/binary>>) -> {c, R};
keep(<<X:7, R/bits>>) -> {d, X, R}.

total(<<X:8, R/bits>>, A) -> total(R, A + X);
total(R, A) -> {A, bit_size(R)}.

back(<<1, X, 3, 4>>) when X < 5 -> first;
back(<<1, X, 3, Y>>) when X + Y > 13 -> second;
back(<<1, R/binary>>) -> {third, R};
back(<<_, R/binary>>) -> {fourth, R}.

split(<<$,, R/binary>>, W, A) -> split(R, <<>>, [W | A]);
split(<<C, R/binary>>, W, A) -> split(R, <<W/binary, C>>, A);
split(<<>>, W, A) -> lists:reverse([W | A]).

edges() -> [0, 1, -1, 1 bsl 59, (1 bsl 60) - 1, 1 bsl 60, -(1 bsl 60), 1 bsl 62, 1 bsl 63].

at(P, B) ->
    W = case B of <<_:P, A:8, C:16/little, D:24/signed, E:32, _/bits>> -> {A, C, D, E}; _ -> none end,
    X = case B of <<_:P, F:40/little-signed, 7, G/bits>> -> {F, G}; <<_:P, I:56, _/bits>> -> I; _ -> none end,
    Y = case B of <<_:P, J:5/binary, K:8, _/bits>> -> {J, K}; _ -> none end,
    {W, X, Y}.

wide(<<A:64, B:64/signed, C:61, D:3, E:60/signed, F:4>> = X) ->
    <<G:64/little, H:64/little-signed, I:57/signed, J:62, _/bits>> = X,
    [A, B, C, D, E, F, G, H, I, J].

shifted(<<5:3, R/bits>>) -> shifted_on(R).
shifted_on(<<C/utf8, R/bits>>) -> [C | shifted_on(R)];
shifted_on(R) -> [R].

code_points() ->
    [<<"a">>, <<16#C2>>, <<16#C2, 16#41>>, <<16#C2, 16#80>>, <<16#DF, 16#BF, 1>>, <<16#C1, 16#BF>>, <<16#E0, 16#9F, 16#BF>>, <<16#E0, 16#A0, 16#80>>,
     <<16#ED, 16#9F, 16#BF>>, <<16#ED, 16#A0, 16#80>>, <<16#EF, 16#BF, 16#BF>>, <<16#E2, 16#82>>, <<16#E2, 16#82, 16#C0>>, <<16#E2, 2, 16#82>>,
     <<16#F0, 16#8F, 16#BF, 16#BF>>, <<16#F0, 16#9F, 16#98, 16#80>>, <<16#F4, 16#8F, 16#BF, 16#BF>>, <<16#F4, 16#90, 16#80, 16#80>>, <<16#F5, 16#80, 16#80, 16#80>>, <<16#80>>].

zip(<<A, R/binary>>, <<B, S/binary>>, N) -> zip(R, S, N + A * B);
zip(A, B, N) -> {A, B, N}.

nested(<<A, R/binary>>, <<B, _/binary>> = C, N) when A =/= 5 -> nested(R, C, N + A + B);
nested(<<_, R/binary>>, <<_, C/binary>>, N) -> nested(R, C, N * 3 band 16#FFFF);
nested(<<>>, C, N) -> {byte_size(C), N}.

called(<<A, B:16, R/binary>>, N, L) -> M = length([X || X <- [A, B, N], X > 3]), erlang:garbage_collect(), called(R, N + M, [id({A, B}) | L]);
called(R, N, L) -> {R, N, h(L)}.

both(0, A, B) -> {A, B};
both(N, A, B) -> both(N - 1, <<A/binary, N:8, (N + 1):24>>, <<B/binary, (N * 7):16/little>>).

older(0, A, K) -> {A, K};
older(N, A, _) when N rem 10 =:= 0 -> older(N - 1, <<A/binary, N>>, <<A/binary, "kept">>);
older(N, A, K) -> older(N - 1, <<A/binary, N, 1>>, K).

text([C | T], A) -> text(T, <<A/binary, C/utf8>>);
text([], A) -> A.

made(A, B) -> {<<A:8, B:16>>, <<A:3, B:13, A:5>>, <<A:64/little, B/utf8, "tail">>, <<"head", A:64, B:40/little, A:20, B:4>>}.
