%% Conversions between types that have no suite of their own.
-module(t_conv).
-include("diff.hrl").

cases() ->
    [{fun_to_list_ext, fun() -> erlang:fun_to_list(id(fun lists:map/2)) end},
     {pid_list_roundtrip, fun() -> P = self(), list_to_pid(pid_to_list(P)) =:= P end},
     {pid_list_form, fun() -> [$<, $0, $. | _] = pid_to_list(self()), ok end},
     {list_to_pid, fun() -> [pid_to_list(list_to_pid(id(S))) || S <- ["<0.1.0>", "<0.123.0>", "<0.1234.5>"]] end},
     {list_to_pid_bad, fun() -> [c(fun() -> list_to_pid(id(S)) end) || S <- ["", "<>", "<0.1>", "<0.1.0", "0.1.0", "<9999.1.0>", abc, "<a.b.c>", "<0.1.0>x"]] end},
     {ref_list_roundtrip, fun() -> R = make_ref(), list_to_ref(ref_to_list(R)) =:= R end},
     {ref_list_form, fun() -> "#Ref<0." ++ _ = ref_to_list(make_ref()), ok end},
     {list_to_ref, fun() -> ref_to_list(list_to_ref(id("#Ref<0.1.2.3>"))) end},
     {list_to_ref_bad, fun() -> [c(fun() -> list_to_ref(id(S)) end) || S <- ["", "#Ref<0.1>", "#Ref<>", "Ref<0.1.2.3>", abc]] end},
     {list_to_port, fun() -> [cr(fun() -> erlang:port_to_list(list_to_port(id(S))) end) || S <- ["#Port<0.1>", "#Port<0.77>", "", "#Port<x>", "#Port<0.1"]] end},
     {term_forms, fun() -> [lists:flatten(io_lib:format("~w", [list_to_pid(id("<0.42.0>"))])), lists:flatten(io_lib:format("~w", [list_to_ref("#Ref<0.1.2.3>")])), lists:flatten(io_lib:format("~w", [fun lists:map/2]))] end},
     {integer_forms, fun() -> [integer_to_list(id(-0)), integer_to_binary(id(-15)), integer_to_list(id(1 bsl 59))] end},
     {int_to_list_bad, fun() -> [c(fun() -> integer_to_list(id(X)) end) || X <- [a, 1.0, "1"]] ++ [c(fun() -> integer_to_binary(id(X)) end) || X <- [a, 1.0]] end},
     {string_to_integer, fun() -> [string:to_integer(id(S)) || S <- ["12abc", "abc", "", "-5", "+5", <<"77x">>, "12 34"]] end},
     {string_to_float, fun() -> [string:to_float(id(S)) || S <- ["1.5abc", "abc", "1", "-5.5e3x", <<"7.7">>]] end},
     {list_to_existing, fun() -> c(fun() -> list_to_existing_atom(id(1)) end) end},
     {bitstring_to_list, fun() -> [bitstring_to_list(id(<<1, 2:3>>)), list_to_bitstring([<<1:1>>, 1])] end},
     {tuple_to_list_nested, fun() -> tuple_to_list(id({1, {2}, [3]})) end},
     {float_int, fun() -> [float(id(3)), float(id(1.5)), round(id(3)), trunc(id(-7))] end},
     {term_to_string, fun() -> [lists:flatten(io_lib:format("~p", [T])) || T <- [1, 1.5, a, "s", <<"b">>, {a, [b]}, [], [1 | 2], #{}, [a, "x", 300], "\x{e9}", [1, 2, 3], "\n\t", [0]]] end},
     {unicode_list, fun() -> [unicode:characters_to_list(id(<<"aé€"/utf8>>)), unicode:characters_to_binary([233, 8364]), unicode:characters_to_binary(<<233>>, latin1), unicode:characters_to_list(<<255, 65>>, utf8)] end},
     {apply_conv, fun() -> [apply(erlang, id(F), id(A)) || {F, A} <- [{atom_to_list, [a]}, {integer_to_list, [5]}, {list_to_tuple, [[1, 2]]}, {tuple_size, [{1}]}, {element, [1, {a}]}, {'+', [1, 2]}, {'++', [[1], [2]]}, {'not', [true]}, {'and', [true, false]}, {abs, [-5]}, {max, [1, 2]}]] end},
     {apply_ops_bad, fun() -> [c(fun() -> apply(erlang, id(F), id(A)) end) || {F, A} <- [{'+', [a, 1]}, {'div', [1, 0]}, {hd, [[]]}, {'not', [x]}, {'xor', [true, x]}, {'!', [1, 2]}, {element, [0, {}]}]] end},
     {ext_fun_ops, fun() -> [(id(fun erlang:'+'/2))(1, 2), (id(fun erlang:hd/1))([a]), (id(fun erlang:length/1))([1, 2])] end},
     {boolean_ops, fun() -> [{A and B, A or B, A xor B, not A} || A <- [id(true), id(false)], B <- [id(true), id(false)]] end},
     {boolean_ops_bad, fun() -> [c(fun() -> id(x) and id(true) end), c(fun() -> id(true) or id(1) end), c(fun() -> id(x) xor id(true) end), c(fun() -> not id(1) end)] end},
     {is_function_arity, fun() -> [is_function(id(F)) || F <- [fun id/1, fun lists:map/2, a]] ++ [is_function(id(fun id/1), id(A)) || A <- [0, 1, 2]] ++ [is_function(id(a), 1), c(fun() -> is_function(id(a), id(-1)) end), c(fun() -> is_function(id(a), id(b)) end)] end}].
