%% Integers: the small/big boundary, all operators, and their errors.
-module(t_int).
-include("diff.hrl").

%% Values around every boundary that a VM may care about.
edges() ->
    [S * ((1 bsl P) + D) || P <- [0, 1, 7, 8, 15, 16, 27, 28, 31, 32, 58, 59, 60, 61, 62, 63, 64, 65, 127, 128, 129],
                            D <- [-1, 0, 1], S <- [1, -1]].

%% A hash of many results keeps the output short while every bit counts.
sum(L) -> {length(L), erlang:md5(term_to_binary(L, [{minor_version, 1}])), lists:sublist(L, 3)}.

pairs(F) -> sum([cr(fun() -> F(A, B) end) || A <- edges(), B <- edges()]).
ones(F) -> sum([cr(fun() -> F(A) end) || A <- edges()]).

fact(0) -> 1;
fact(N) -> N * fact(N - 1).

pow(_, 0) -> 1;
pow(B, N) when N band 1 =:= 0 -> X = pow(B, N bsr 1), X * X;
pow(B, N) -> B * pow(B, N - 1).

guard_add(A, B) when A + B > 10 -> big;
guard_add(_, _) -> other.

guard_div(A, B) when A div B =:= 2 -> two;
guard_div(_, _) -> other.

gcd(A, 0) -> A;
gcd(A, B) -> gcd(B, A rem B).

mersenne(P, N) -> mersenne(P, N, 4, P - 2).
mersenne(_, _, 0, 0) -> true;
mersenne(_, _, _, 0) -> false;
mersenne(P, N, S, K) -> mersenne(P, N, (S * S - 2) rem N, K - 1).

% Division by constants.
divided(X) ->
    [X div (1), X rem (1),
     X div (-1), X rem (-1),
     X div (2), X rem (2),
     X div (-2), X rem (-2),
     X div (3), X rem (3),
     X div (-3), X rem (-3),
     X div (5), X rem (5),
     X div (7), X rem (7),
     X div (-8), X rem (-8),
     X div (10), X rem (10),
     X div (12), X rem (12),
     X div (64), X rem (64),
     X div (100), X rem (100),
     X div (255), X rem (255),
     X div (256), X rem (256),
     X div (-1000), X rem (-1000),
     X div (1000003), X rem (1000003),
     X div (4294967295), X rem (4294967295),
     X div (4294967296), X rem (4294967296),
     X div (4294967297), X rem (4294967297),
     X div (288230376151711744), X rem (288230376151711744),
     X div (288230376151711745), X rem (288230376151711745),
     X div (576460752303423487), X rem (576460752303423487),
     X div (576460752303423488), X rem (576460752303423488),
     X div (1152921504606846975), X rem (1152921504606846975),
     X div (-576460752303423488), X rem (-576460752303423488),
     X div (-1152921504606846976), X rem (-1152921504606846976),
     X div (1152921504606846976), X rem (1152921504606846976)].

divided_by_constants() ->
    Near = [D + E || N <- [0, 1, 2, 3, 5, 8, 20, 31, 32, 33, 57, 58, 59, 60, 64], D <- [1 bsl N], E <- [-1, 0, 1]],
    More = [1000003 * K + E || K <- [1, 999, 1 bsl 30], E <- [-1, 0, 1]],
    [divided(X) || Y <- [0 | Near ++ More], X <- [Y, -Y]].

cases() ->
    [{divided_by_constants, fun() -> erlang:md5(term_to_binary(divided_by_constants())) end},
     {divided_once, fun() -> [divided(X) || X <- [1 bsl 59 - 1, -(1 bsl 59), 12345678901234567, -77]] end},
     {at_the_edges, heavy, fun() -> E = [0, 1, -1, 7, (1 bsl 59) - 1, 1 bsl 59, (1 bsl 60) - 1, 1 bsl 60, -(1 bsl 60), -(1 bsl 60) - 1, 1 bsl 64, 1.5, a], [edges(id(X), id(Y)) || X <- E, Y <- E] end},
     {guards_at_the_edges, fun() -> E = [0, 1, -1, 12, (1 bsl 60) - 1, -(1 bsl 60), 1 bsl 64, 2.0, a], [edge_guard(id(X), id(Y)) || X <- E, Y <- E] end},
     {add_small, fun() -> id(1) + id(2) end},
     {sub_small, fun() -> id(1) - id(2) end},
     {mul_small, fun() -> id(7) * id(-6) end},
     {add_overflow_59, fun() -> [id(1 bsl 59) - 1 + id(1), id(-(1 bsl 59)) - id(1)] end},
     {add_overflow_60, fun() -> [id((1 bsl 60) - 1) + id(1), id(-(1 bsl 60)) - id(1)] end},
     {add_overflow_63, fun() -> [id((1 bsl 63) - 1) + id(1), id(-(1 bsl 63)) - id(1)] end},
     {add_back_to_small, fun() -> [id(1 bsl 60) - id(1), id(1 bsl 64) - id((1 bsl 64) - 5)] end},
     {back_equals_small, fun() -> (id(1 bsl 70) - id((1 bsl 70) - 3)) =:= 3 end},
     {mul_overflow, fun() -> [id(1 bsl 30) * id(1 bsl X) || X <- [28, 29, 30, 31, 32, 33, 34]] end},
     {mul_min_by_minus_one, fun() -> [id(-(1 bsl X)) * id(-1) || X <- [58, 59, 60, 61, 63, 64]] end},
     {neg_min, fun() -> [-id(-(1 bsl X)) || X <- [58, 59, 60, 61, 63, 64]] end},
     {abs_min, fun() -> [abs(id(-(1 bsl X))) || X <- [58, 59, 60, 61, 63, 64]] end},
     {div_min_by_minus_one, fun() -> [id(-(1 bsl X)) div id(-1) || X <- [58, 59, 60, 61, 63, 64]] end},
     {rem_min_by_minus_one, fun() -> [id(-(1 bsl X)) rem id(-1) || X <- [58, 59, 60, 61, 63, 64]] end},
     {div_signs, fun() -> [{id(A) div id(B), A rem B} || A <- [7, -7], B <- [2, -2]] end},
     {add_all, fun() -> pairs(fun(A, B) -> A + B end) end},
     {sub_all, fun() -> pairs(fun(A, B) -> A - B end) end},
     {mul_all, fun() -> pairs(fun(A, B) -> A * B end) end},
     {div_all, fun() -> pairs(fun(A, B) -> A div B end) end},
     {rem_all, fun() -> pairs(fun(A, B) -> A rem B end) end},
     {band_all, fun() -> pairs(fun(A, B) -> A band B end) end},
     {bor_all, fun() -> pairs(fun(A, B) -> A bor B end) end},
     {bxor_all, fun() -> pairs(fun(A, B) -> A bxor B end) end},
     {bnot_all, fun() -> ones(fun(A) -> bnot A end) end},
     {neg_all, fun() -> ones(fun(A) -> -A end) end},
     {abs_all, fun() -> ones(fun(A) -> abs(A) end) end},
     {compare_all, fun() -> pairs(fun(A, B) -> {A < B, A =< B, A == B, A =:= B, A > B, A >= B, A /= B} end) end},
     {max_min_all, fun() -> pairs(fun(A, B) -> {max(A, B), min(A, B)} end) end},
     {to_list_all, fun() -> ones(fun(A) -> integer_to_list(A) end) end},
     {to_float_all, fun() -> ones(fun(A) -> float(A) end) end},
     {roundtrip_list, fun() -> lists:all(fun(A) -> list_to_integer(integer_to_list(A)) =:= A end, edges()) end},
     {roundtrip_binary, fun() -> lists:all(fun(A) -> binary_to_integer(integer_to_binary(A)) =:= A end, edges()) end},
     {roundtrip_etf, fun() -> lists:all(fun(A) -> binary_to_term(term_to_binary(A)) =:= A end, edges()) end},
     {bases, fun() -> [{integer_to_list(id(N), B), integer_to_binary(N, B)} || N <- [0, 255, -255, 1 bsl 70, -(1 bsl 70)], B <- [2, 3, 8, 10, 16, 36]] end},
     {from_bases, fun() -> [list_to_integer(id("zz"), 36), list_to_integer(id("-FF"), 16), list_to_integer(id("+7f"), 16), binary_to_integer(id(<<"-1010">>), 2)] end},
     {list_to_integer_bad, fun() -> [c(fun() -> list_to_integer(id(X)) end) || X <- ["", "-", "+", "1x", " 1", "1 ", "0x10", [1], abc, <<"1">>]] end},
     {binary_to_integer_bad, fun() -> [c(fun() -> binary_to_integer(id(X)) end) || X <- [<<>>, <<"-">>, <<"+">>, <<"1x">>, <<1:7>>, "1"]] end},
     {base_bad, fun() -> [c(fun() -> integer_to_list(id(10), id(X)) end) || X <- [0, 1, 37, a]] end},
     {base_digit_bad, fun() -> [c(fun() -> list_to_integer(id("129"), id(X)) end) || X <- [2, 8, 9, 1]] end},
     {plus_sign, fun() -> [list_to_integer(id("+123")), binary_to_integer(id(<<"+123">>))] end},
     {long_decimal, fun() -> integer_to_list(list_to_integer(lists:duplicate(500, $7))) end},
     {bsl_bsr, fun() -> [{id(1) bsl N, id(-1) bsl N, id(1 bsl 100) bsr N, id(-(1 bsl 100)) bsr N} || N <- [0, 1, 31, 32, 58, 59, 60, 61, 63, 64, 65, 100, 101]] end},
     {bsl_negative_count, fun() -> [{id(12345) bsl N, id(12345) bsr N} || N <- [-1, -5, -20, -64, -70]] end},
     {bsr_huge_count, fun() -> [id(X) bsr id(Y) || X <- [5, -5, 1 bsl 80, -(1 bsl 80), 0], Y <- [1000, 1 bsl 59, 1 bsl 62, 1 bsl 64, 1 bsl 70]] end},
     {bsl_zero_huge, fun() -> [id(0) bsl id(1 bsl 70), id(0) bsl id(1000000000000)] end},
     {bsl_too_big, fun() -> [cr(fun() -> id(1) bsl id(X) end) || X <- [1 bsl 40, 1 bsl 62, 1 bsl 64, 1 bsl 70]] end},
     {bsr_too_big, fun() -> [cr(fun() -> id(1) bsr id(-X) end) || X <- [1 bsl 40, 1 bsl 62, 1 bsl 64]] end},
     {mul_too_big, fun() -> case erlang:system_info(otp_release) > "26" of true -> cr(fun() -> mul_up(id(1 bsl 60000)) end); false -> no_such_limit end end},
     {badarith_add, fun() -> [c(fun() -> id(X) + id(1) end) || X <- [a, "a", [], {}, <<>>, self_atom]] end},
     {badarith_ops, fun() ->
          [c(fun() -> id(a) - id(1) end), c(fun() -> id(a) * id(1) end), c(fun() -> id(a) div id(1) end),
           c(fun() -> id(a) rem id(1) end), c(fun() -> id(a) band id(1) end), c(fun() -> id(a) bor id(1) end),
           c(fun() -> id(a) bxor id(1) end), c(fun() -> bnot id(a) end), c(fun() -> -id(a) end),
           c(fun() -> +id(a) end), c(fun() -> id(a) bsl id(1) end), c(fun() -> id(1) bsr id(a) end), c(fun() -> id(1) / id(a) end)] end},
     {badarith_float_ops, fun() ->
          [c(fun() -> id(1.0) div id(1) end), c(fun() -> id(1.0) rem id(1) end), c(fun() -> id(1.5) band id(1) end),
           c(fun() -> id(1) bsl id(1.0) end), c(fun() -> bnot id(1.0) end)] end},
     {div_zero, fun() -> [c(fun() -> id(1) div id(0) end), c(fun() -> id(1) rem id(0) end), c(fun() -> id(1) / id(0) end),
                          c(fun() -> id(1 bsl 80) div id(0) end), c(fun() -> id(1 bsl 80) rem id(0) end), c(fun() -> id(1) / id(0.0) end)] end},
     {guard_failure, fun() -> [guard_add(id(a), id(1)), guard_add(id(20), id(1)), guard_div(id(4), id(2)), guard_div(id(4), id(0)), guard_div(id(a), id(2))] end},
     {guard_big, fun() -> [guard_add(id(1 bsl 80), id(-(1 bsl 80))), guard_div(id(1 bsl 81), id(1 bsl 80))] end},
     {fact_30, fun() -> fact(id(30)) end},
     {fact_200, fun() -> fact(id(200)) end},
     {fact_div, fun() -> fact(id(120)) div fact(id(118)) end},
     {pow_big, fun() -> [pow(id(3), id(400)), pow(id(-7), id(101))] end},
     {big_div_rem, fun() -> A = pow(id(7), 300), B = pow(id(11), 80), {A div B, A rem B, (A div B) * B + A rem B =:= A} end},
     {big_div_rem_neg, fun() -> A = -pow(id(7), 300), B = pow(id(11), 80), {A div B, A rem B, A div -B, A rem -B} end},
     {knuth_d, fun() -> [{id(A) div id(B), A rem B} || {A, B} <- [{(1 bsl 192) - 1, (1 bsl 96) - 1}, {(1 bsl 128) - (1 bsl 64), (1 bsl 64) - 1}, {1 bsl 191, (1 bsl 95) + 1}, {((1 bsl 128) - 1) bsl 64, (1 bsl 128) - 1}]] end},
     {gcd_big, fun() -> gcd(id(fact(50)), id(pow(2, 90) * 81)) end},
     {mersenne, fun() -> [P || P <- [3, 5, 7, 11, 13, 17, 19, 23, 31, 61, 89, 107, 127], mersenne(P, (1 bsl P) - 1)] end},
     {bit_ops_big, fun() -> A = fact(40), B = -fact(35), [A band B, A bor B, A bxor B, bnot A, bnot B, A bsr 13, B bsr 13, B bsl 13] end},
     {literal_big, fun() -> [123456789012345678901234567890, -123456789012345678901234567890, 16#FFFFFFFFFFFFFFFFFFFF] end},
     {literal_boundary, fun() -> [576460752303423487, 576460752303423488, -576460752303423488, -576460752303423489, 1152921504606846975, 1152921504606846976, -1152921504606846976, -1152921504606846977] end},
     {match_big, fun() -> case id(1 bsl 65) of 36893488147419103231 -> no; 36893488147419103232 -> yes; _ -> other end end},
     {match_boundary, fun() -> [case id(X) of 576460752303423488 -> a; 1152921504606846976 -> b; -1152921504606846977 -> c; 1152921504606846975 -> d; _ -> e end || X <- [1 bsl 59, 1 bsl 60, -(1 bsl 60) - 1, (1 bsl 60) - 1, 0]] end},
     {is_integer_range, fun() -> [is_integer(id(X)) || X <- [1, 1 bsl 59, 1 bsl 60, 1 bsl 200, 1.0, a]] end},
     {sum_loop, fun() -> loop(0, 100000, 0) end},
     {square_loop, fun() -> loop2(id(3), 12) end},
     {sub_chain, fun() -> lists:foldl(fun(X, A) -> A - X end, id(1 bsl 62), edges()) end},
     {digits, fun() -> length(integer_to_list(pow(id(10), 1000))) end},
     {random_walk, fun() -> walk(id(12345), 2000, 0) end},
     {unary_plus, fun() -> [+id(5), +id(-5), +id(1 bsl 70), +id(1.5)] end},
     {trunc_int, fun() -> [trunc(id(X)) || X <- [5, 1 bsl 70]] ++ [round(id(1 bsl 70)), ceil(id(3)), floor(id(-3))] end}].

mul_up(X) -> mul_up(X * X).

loop(N, N, Acc) -> Acc;
loop(I, N, Acc) -> loop(I + 1, N, Acc + I * I).

loop2(X, 0) -> X;
loop2(X, N) -> loop2(X * X rem 1000000000000000000000007, N - 1).

%% A linear congruential generator whose values cross the small/big boundary.
walk(_, 0, Acc) -> Acc;
walk(S, N, Acc) ->
    S1 = (S * 6364136223846793005 + 1442695040888963407) band 16#FFFFFFFFFFFFFFFF,
    walk(S1, N - 1, (Acc bxor S1) + (S1 bsr 3) - (S1 rem 1000003)).

edges(X, Y) ->
    [cr(F) || F <- [fun() -> X + Y end, fun() -> X - Y end, fun() -> X * Y end, fun() -> X div Y end, fun() -> X rem Y end,
                    fun() -> X band Y end, fun() -> X bor Y end, fun() -> X bxor Y end, fun() -> X * 8 end, fun() -> X + 1 end,
                    fun() -> X - 1 end, fun() -> X bsl 3 end, fun() -> X bsr 3 end, fun() -> X band 255 end, fun() -> -X end]]
        ++ [X < Y, X >= Y, X < 7, 7 < X, X >= 7, 7 >= X, X =:= Y, X =/= Y].

edge_guard(X, Y) when X + Y =:= 0 -> plus;
edge_guard(X, Y) when X rem Y =:= 5 -> remainder;
edge_guard(X, Y) when X * Y > 1 bsl 62 -> times;
edge_guard(X, Y) when X div Y =:= 12 -> quotient;
edge_guard(X, Y) when X - Y =:= 11; X band Y =:= 12 -> minus;
edge_guard(X, Y) when X bsr Y =:= 0 -> shift;
edge_guard(_, _) -> none.
