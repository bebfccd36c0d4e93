%% Floats: arithmetic, formatting, rounding and comparison with integers.
-module(t_float).
-include("diff.hrl").

vals() -> [0.0, -0.0, 1.0, -1.0, 0.1, 0.5, 1.5, 2.5, -2.5, 1.0e10, 123456789.125, 1.0e22, 1.0e23, 1.7976931348623157e308,
           2.2250738585072014e-308, 5.0e-324, 3.141592653589793, 1.0e-7, 1.0e-5, 0.001, 1.0e15, 1.0e16, 1.0e17, 123456.0e3,
           9007199254740992.0, 9007199254740993.0, 1.1, 4.35, 0.3, 2.0e-10, 1.0e100, -1.0e-100].

harmonic(0, A) -> A;
harmonic(N, A) -> harmonic(N - 1, A + 1 / N).

newton(_, X, 0) -> X;
newton(N, X, K) -> newton(N, (X + N / X) / 2, K - 1).

cases() ->
    [{add, fun() -> [id(0.1) + id(0.2), id(1.5) + id(1), id(1) + id(1.5)] end},
     {sub, fun() -> [id(0.1) - id(0.2), id(1.5) - id(1), id(1) - id(1.5)] end},
     {mul, fun() -> [id(0.1) * id(3), id(1.0e200) * id(1.0e-200)] end},
     {divide, fun() -> [id(1) / id(3), id(4) / id(2), id(1.0) / id(8), id(7.5) / id(-2.5)] end},
     {divide_big, fun() -> [id(1 bsl 100) / id(1 bsl 99), id(1 bsl 100) / id(3), id(3) / id(1 bsl 100)] end},
     {divide_big_overflow, fun() -> [c(fun() -> id(1 bsl 2000) / id(1) end), c(fun() -> id(1) + id(1.0) * id(1 bsl 1100) end)] end},
     {big_ratio, fun() -> cr(fun() -> id(1 bsl 1100) / id(1 bsl 1099) end) end},
     {overflow, fun() -> [c(fun() -> id(1.0e308) * id(10.0) end), c(fun() -> id(1.7e308) + id(1.7e308) end), c(fun() -> id(-1.7e308) - id(1.7e308) end)] end},
     {underflow, fun() -> [id(1.0e-300) * id(1.0e-300), id(5.0e-324) / id(2.0)] end},
     {zero_div, fun() -> [c(fun() -> id(1.0) / id(0.0) end), c(fun() -> id(0.0) / id(0.0) end), c(fun() -> id(1.0) / id(-0.0) end)] end},
     {print, fun() -> vals() end},
     {to_list, fun() -> [float_to_list(F) || F <- vals()] end},
     {to_binary, fun() -> [float_to_binary(F) || F <- vals()] end},
     {to_list_short, fun() -> case erlang:system_info(otp_release) of "25" -> [float_to_list(F, [short]) || F <- vals()]; _ -> [float_to_list(F, [short]) || F <- vals()] end end},
     {to_list_decimals, fun() -> [float_to_list(F, [{decimals, D}]) || F <- [0.0, -0.0, 1.0, 0.5, 1.5, 2.5, 0.125, 123456.789, -1.005, 1.0e10, 9.99999], D <- [0, 1, 2, 5, 10, 20]] end},
     {to_list_compact, fun() -> [float_to_list(F, [{decimals, 10}, compact]) || F <- [0.0, 1.0, 0.5, 1.25, 123456.789, 100.0]] end},
     {to_list_scientific, fun() -> [float_to_list(F, [{scientific, D}]) || F <- [0.0, 1.0, 0.5, 123456.789, 1.0e100, 5.0e-324], D <- [0, 1, 5, 20]] end},
     {to_list_bad, fun() -> [c(fun() -> float_to_list(id(1.0), id(O)) end) || O <- [[{decimals, -1}], [{decimals, 300}], [foo], {decimals, 1}]] ++ [c(fun() -> float_to_list(id(1)) end)] end},
     {to_list_too_large, fun() -> c(fun() -> float_to_list(id(1.0e300), [{decimals, 253}]) end) end},
     {from_list, fun() -> [list_to_float(id(S)) || S <- ["1.0", "-1.5", "+2.5", "1.0e10", "1.0E10", "1.0e-10", "0.1", "123456789012345678901234567890.0", "2.5e-324", "0.30000000000000004", "1.7976931348623157e308"]] end},
     {from_list_bad, fun() -> [c(fun() -> list_to_float(id(S)) end) || S <- ["1", "1.", ".5", "1e5", "", "abc", "1.0x", "1.0e", " 1.0", "1.0e400", abc, [1.0]]] end},
     {from_binary_bad, fun() -> [c(fun() -> binary_to_float(id(S)) end) || S <- [<<"1">>, <<"1.">>, <<>>, <<"1.0 ">>, <<"1.0e999">>]] end},
     {from_binary, fun() -> [binary_to_float(id(S)) || S <- [<<"1.0">>, <<"-0.0">>, <<"6.02e23">>]] end},
     {roundtrip, fun() -> [F || F <- vals(), list_to_float(float_to_list(F)) /= F] end},
     {roundtrip_short, fun() -> [F || F <- vals(), list_to_float(float_to_list(F, [short])) /= F] end},
     {round, fun() -> [round(id(F)) || F <- [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49999999999999994, 4503599627370495.5, 1.0e20, -1.0e20, 1.0e300]] end},
     {trunc, fun() -> [trunc(id(F)) || F <- [0.9, -0.9, 1.0e18, 1.0e19, -1.0e19, 1.0e25, 576460752303423488.0, 1152921504606846976.0, 9223372036854775808.0]] end},
     {floor_ceil, fun() -> [{floor(id(F)), ceil(id(F))} || F <- [0.5, -0.5, 2.0, 1.0e20, -1.0e20 , -0.0, 4503599627370495.5]] end},
     {round_bad, fun() -> [c(fun() -> round(id(a)) end), c(fun() -> trunc(id("1.0")) end), c(fun() -> floor(id(a)) end), c(fun() -> ceil(id(a)) end), c(fun() -> float(id(a)) end)] end},
     {neg_zero_arith, fun() -> [id(0.0) * id(-1), -id(0.0), id(-0.0) + id(0.0), id(-0.0) + id(-0.0), id(0.0) - id(0.0), abs(id(-0.0))] end},
     {neg_zero_compare, fun() -> [id(0.0) == id(-0.0), id(0.0) < id(-0.0), id(-0.0) < id(0.0), max(id(0.0), id(-0.0)), min(id(0.0), id(-0.0)), id(0) == id(-0.0)] end},
     {neg_zero_exact, fun() -> [id(0.0) =:= id(-0.0), id(-0.0) =:= id(-0.0), {id(0.0)} =:= {id(-0.0)}, [id(0.0)] =:= [id(-0.0)]] end},
     {neg_zero_match, fun() -> [case id(X) of Z when Z =:= 0.0 -> zero; _ -> other end || X <- [0.0, -0.0, 0]] end},
     {neg_zero_bits, fun() -> [<<(id(-0.0)):64/float>>, <<(id(0.0)):64/float>>, <<(id(-0.0)):32/float>>] end},
     {int_float_compare, fun() -> [{id(A) < B, id(A) == B, id(A) =:= B} || {A, B} <- [{1, 1.0}, {9007199254740993, 9007199254740992.0}, {1 bsl 53, 9007199254740992.0}, {1 bsl 64, 18446744073709551616.0}, {(1 bsl 64) + 1, 18446744073709551616.0}, {-(1 bsl 60), -1152921504606846976.0}, {1 bsl 2000, 1.0e308}, {-(1 bsl 2000), -1.0e308}, {0, 5.0e-324}]] end},
     {sort_mixed, fun() -> lists:sort([2, 1.5, 1, 1.0, 2.0, -0.0, 0, 0.0, 1 bsl 64, 1.8446744073709552e19, -1]) end},
     {harmonic, fun() -> harmonic(100000, 0.0) end},
     {newton, fun() -> newton(id(2.0), 1.0, 20) end},
     {math_basic, fun() -> [math:sqrt(id(2)), math:pi(), math:exp(id(1)), math:log(id(10)), math:log2(id(8)), math:log10(id(1000)), math:pow(id(2), id(0.5))] end},
     {math_trig, fun() -> [float_to_list(math:F(id(0.5)), [{scientific, 14}]) || F <- [sin, cos, tan, asin, acos, atan, sinh, cosh, tanh, asinh, atanh, erf, erfc]] end},
     {math_misc, fun() -> [math:atan2(1, 2), math:floor(id(2.7)), math:ceil(id(2.1)), math:fmod(id(7.5), id(2)), math:acosh(id(1.5)), math:ceil(5), math:floor(-3.5)] end},
     {math_bad, fun() -> [c(fun() -> math:sqrt(id(-1)) end), c(fun() -> math:log(id(0)) end), c(fun() -> math:acos(id(2)) end), c(fun() -> math:pow(id(0), id(-1)) end), c(fun() -> math:exp(id(1000)) end), c(fun() -> math:sin(id(a)) end), c(fun() -> math:fmod(id(1), id(0)) end), c(fun() -> math:log2(id(-5)) end)] end},
     {math_big, fun() -> [math:sqrt(id(1 bsl 100)), math:log2(id(1 bsl 1000)), c(fun() -> math:sqrt(id(1 bsl 3000)) end)] end},
     {literals, fun() -> [1.0e3, 1.5E-3, -2.25, 1_000.5] end},
     {io_f, fun() -> [lists:flatten(io_lib:format(F, [V])) || F <- ["~f", "~.2f", "~10.3f", "~e", "~.3e", "~g", "~.10g", "~w", "~p"], V <- [0.0, 1.5, -123.456, 1.0e10, 1.0e-5]] end},
     {float_guard, fun() -> [case id(X) of Y when is_float(Y), Y > 1.0 -> big; Y when is_float(Y) -> small; _ -> no end || X <- [1.5, 0.5, 2, a]] end},
     {float_match, fun() -> [case id(X) of 1.0 -> one; 2.5 -> twohalf; 1 -> int; _ -> no end || X <- [1.0, 2.5, 1, 1.5]] end},
     {as_key, fun() -> [maps:get(id(1.0), #{1 => int, 1.0 => float}), maps:get(id(1), #{1 => int, 1.0 => float})] end},
     {sum_many, fun() -> lists:sum([X * 0.1 || X <- lists:seq(1, 1000)]) end},
     {average_mixed, fun() -> lists:sum([1, 2.5, 3, 1 bsl 60]) / 4 end},
     {int_overflow_to_float, fun() -> c(fun() -> float(id(1 bsl 1024)) end) end},
     {int_max_float, fun() -> [cr(fun() -> float(id((1 bsl 1024) - (1 bsl N))) end) || N <- [969, 970, 971]] end},
     {rounding_of_big, fun() -> [float(id((1 bsl 53) + 1)), float(id((1 bsl 53) + 3)), float(id((1 bsl 64) + (1 bsl 11))), float(id((1 bsl 64) + (1 bsl 11) + 1)), float(id((1 bsl 100) + (1 bsl 47)))] end}].
