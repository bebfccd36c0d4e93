%% Guards, type tests and pattern dispatch.
-module(t_guard).
-include("diff.hrl").
-record(r, {a}).

vals() -> [0, 1, -1, 1 bsl 70, 1.5, a, true, false, [], [1], [1 | 2], "ab", {}, {1}, {r, 1}, #{}, #{a => 1}, <<>>, <<1>>, <<1:3>>, fun id/1, fun lists:map/2, self(), make_ref()].

type(X) when is_boolean(X) -> boolean;
type(X) when is_atom(X) -> atom;
type(X) when is_integer(X) -> integer;
type(X) when is_float(X) -> float;
type(X) when is_record(X, r) -> record;
type(X) when is_tuple(X) -> tuple;
type(X) when is_list(X) -> list;
type(X) when is_binary(X) -> binary;
type(X) when is_bitstring(X) -> bitstring;
type(X) when is_map(X) -> map;
type(X) when is_function(X) -> function;
type(X) when is_pid(X) -> pid;
type(X) when is_port(X) -> port;
type(X) when is_reference(X) -> reference.

sel(0) -> zero; sel(1) -> one; sel(2) -> two; sel(10) -> ten; sel(100) -> hundred; sel(-5) -> minus_five;
sel(1000000000000) -> billion; sel(36893488147419103232) -> big; sel(_) -> none.

jump(0) -> a; jump(1) -> b; jump(2) -> c; jump(3) -> d; jump(4) -> e; jump(5) -> f; jump(6) -> g; jump(7) -> h; jump(_) -> z.

asel(apple) -> 1; asel(banana) -> 2; asel(cherry) -> 3; asel(date) -> 4; asel(elder) -> 5; asel(fig) -> 6; asel(grape) -> 7; asel(_) -> 0.

mixed(1) -> int; mixed(1.0) -> float; mixed(a) -> atom; mixed([]) -> nil; mixed(<<>>) -> ebin; mixed({}) -> etup; mixed("x") -> str; mixed(_) -> other.

arity({_}) -> 1; arity({_, _}) -> 2; arity({_, _, _}) -> 3; arity({_, _, _, _}) -> 4; arity({}) -> 0; arity(_) -> no.

tagged({add, A, B}) -> A + B; tagged({sub, A, B}) -> A - B; tagged({neg, A}) -> -A; tagged({mul, A, B}) -> A * B; tagged(X) when is_number(X) -> X.

orelse_g(X) when X =:= 1 orelse hd(X) =:= a -> yes;
orelse_g(_) -> no.
semi(X) when hd(X) =:= a; X =:= 1 -> yes;
semi(_) -> no.
comma(X, Y) when is_integer(X), X > 3, is_atom(Y) -> yes;
comma(_, _) -> no.
not_g(X) when not is_atom(X) -> notatom;
not_g(_) -> atom.
xor_g(X, Y) when is_atom(X) xor is_atom(Y) -> one;
xor_g(_, _) -> both_or_none.
bare(X) when X -> yes;
bare(_) -> no.
arith(X) when X * 2 + 1 > 10, X rem 2 =:= 0, X band 4 =/= 0 -> yes;
arith(_) -> no.
abs_g(X) when abs(X) > 2 -> far;
abs_g(_) -> near.
minus_g(X) when -X > 2 -> below;
minus_g(_) -> above.
bnot_g(X) when bnot X < 0 -> natural;
bnot_g(_) -> other.
-if(?OTP_RELEASE >= 26).
extremes_g(X, Y) when min(X, Y) =:= X, max(X, Y) =:= Y -> in_order;
extremes_g(_, _) -> not_in_order.
-else.
extremes_g(X, Y) -> {min(X, Y), max(X, Y)}.
-endif.
or_g(X, Y) when X or Y -> yes;
or_g(_, _) -> no.
and_g(X, Y) when X and Y -> yes;
and_g(_, _) -> no.
whole_g(B) when is_binary(B), byte_size(B) > 4 -> long;
whole_g(B) when is_binary(B) -> short;
whole_g(<<_, R/bits>>) when is_binary(R) -> rest;
whole_g(_) -> none.
logic(X, Y) -> {X and Y, X or Y, X xor Y, not X}.
small_edges() -> [(1 bsl 60) - 1, 1 bsl 60, -(1 bsl 60), -(1 bsl 60) - 1].
len(L) when length(L) > 2 -> long;
len(L) when length(L) >= 0 -> short;
len(_) -> notlist.
elem(T) when element(2, T) =:= b -> b;
elem(_) -> no.
selfg(P) when P =:= self(), node(P) =:= node() -> me;
selfg(_) -> no.
size_g(X) when size(X) > 1 -> big;
size_g(X) when size(X) >= 0 -> small;
size_g(_) -> nosize.
round_g(X) when round(X) =:= 2; trunc(X) =:= 5; abs(X) =:= 7; float(X) =:= 9.0 -> yes;
round_g(_) -> no.
bin_g(B) when binary_part(B, 0, 1) =:= <<"a">> -> a;
bin_g(_) -> no.
mm(X) -> case {max(X, 3), min(X, 1)} of {3, 1} -> between; _ -> outside end.
ceil_g(X) when ceil(X) =:= 2, floor(X) =:= 1 -> yes;
ceil_g(_) -> no.
range(X) when X >= 10, X =< 20 -> in;
range(X) when X < 10 -> below;
range(X) when X > 20 -> above.
inter(X) when is_integer(X), X >= 0, X < 256 -> byte;
inter(X) when is_integer(X) -> int;
inter(_) -> other.

%% BIFs of guards that jump to the next clause where they fail.
guarded(X) when trunc(X) > 5 -> {trunc, trunc(X)};
guarded(X) when abs(X) =:= 7 -> {abs, X};
guarded(X) when round(X) < 0 -> {round, round(X)};
guarded(X) when float(X) < 3.0 -> {float, float(X)};
guarded(X) when node(X) =:= node() -> node;
guarded(X) when size(X) =:= 0 -> {size, size(X)};
guarded(X) when (bnot X) > 0 -> {complement, bnot X};
guarded(_) -> none.

cases() ->
    [{small_guards, fun() ->
                            [{cr(fun() -> abs_g(X) end), cr(fun() -> minus_g(X) end), cr(fun() -> bnot_g(X) end)}
                             || X <- vals() ++ small_edges()]
                    end},
     {small_guards_value, fun() ->
                                  [{c(fun() -> abs(X) end), c(fun() -> -X end), c(fun() -> bnot X end), c(fun() -> not X end),
                                    c(fun() -> length(X) end)}
                                   || X <- lists:droplast(lists:droplast(vals())) ++ small_edges()]
                          end},
     {extremes, fun() ->
                        All = lists:droplast(lists:droplast(vals())) ++ small_edges() ++ [1.0, 0.0],
                        [{extremes_g(X, Y), max(X, Y), min(X, Y)} || X <- All, Y <- All]
                end},
     {logic, fun() ->
                     All = [true, false, a, 1, []],
                     [{or_g(X, Y), and_g(X, Y), c(fun() -> logic(X, Y) end)} || X <- All, Y <- All]
             end},
     {binaries, fun() ->
                        L = binary:copy(<<"long">>, 100),
                        <<_:3, P:40/bitstring, Q/bitstring>> = L,
                        [{is_binary(B), is_bitstring(B), whole_g(B)}
                         || B <- [L, P, Q, <<>>, <<1>>, <<1:7>>, binary:part(L, 3, 200), binary:part(L, 3, 5), <<L/binary, 1:1>>, x, {}, #{}, [], 1 bsl 70]]
                end},
     {length_of_long, fun() ->
                              [{length(L), len(L), cr(fun() -> length(L ++ x) end), len(L ++ x)}
                               || N <- [0, 1, 15999, 16000, 16001, 40000], L <- [lists:seq(1, N)]]
                      end},
     {types, fun() -> [type(V) || V <- vals()] end},
     {type_bifs, fun() -> [[begin R = erlang:F(V), R end || F <- [is_atom, is_binary, is_bitstring, is_boolean, is_float, is_function, is_integer, is_list, is_map, is_number, is_pid, is_port, is_reference, is_tuple]] || V <- vals()] end},
     {select_int, fun() -> [sel(id(X)) || X <- [0, 1, 2, 10, 100, -5, 1000000000000, 36893488147419103232, 3, 1.0, a]] end},
     {jump_table, fun() -> [jump(id(X)) || X <- [0, 3, 7, 8, -1, 1.0, a, 1 bsl 70]] end},
     {select_atom, fun() -> [asel(id(X)) || X <- [apple, banana, cherry, date, elder, fig, grape, zebra, 1]] end},
     {select_mixed, fun() -> [mixed(id(X)) || X <- [1, 1.0, a, [], <<>>, {}, "x", 2, <<1>>]] end},
     {select_arity, fun() -> [arity(id(X)) || X <- [{}, {1}, {1, 2}, {1, 2, 3}, {1, 2, 3, 4}, {1, 2, 3, 4, 5}, a]] end},
     {select_tagged, fun() -> [tagged(id(X)) || X <- [{add, 1, 2}, {sub, 5, 3}, {neg, 4}, {mul, 6, 7}, 9.5]] end},
     {tagged_fail, fun() -> c(fun() -> tagged(id({div_, 1, 2})) end) end},
     {orelse_vs_semi, fun() -> [{orelse_g(id(X)), semi(id(X))} || X <- [1, [a], [b], 2, []]] end},
     {comma, fun() -> [comma(id(X), id(Y)) || X <- [5, 2, a], Y <- [b, 1]] end},
     {not_xor, fun() -> [not_g(id(X)) || X <- [a, 1]] ++ [xor_g(id(X), id(Y)) || X <- [a, 1], Y <- [b, 2]] end},
     {bare_bool, fun() -> [bare(id(X)) || X <- [true, false, 1, a]] end},
     {arith_guard, fun() -> [arith(id(X)) || X <- [6, 7, 4, 12, a, 1.5, 1 bsl 65]] end},
     {length_guard, fun() -> [len(id(X)) || X <- [[], [1, 2], [1, 2, 3], [1 | 2], a]] end},
     {element_guard, fun() -> [elem(id(X)) || X <- [{a, b}, {a, c}, {a}, [a, b]]] end},
     {self_guard, fun() -> [selfg(self()), selfg(id(x)), selfg(spawn(fun() -> ok end))] end},
     {size_guard, fun() -> [size_g(id(X)) || X <- [{}, {1, 2}, <<1, 2>>, <<>>, a]] end},
     {round_guard, fun() -> [round_g(id(X)) || X <- [1.6, 5.9, -7, 9, 4, a]] end},
     {bin_guard, fun() -> [bin_g(id(X)) || X <- [<<"abc">>, <<"b">>, <<>>, x]] end},
     {min_max_guard, fun() -> cr(fun() -> [mm(id(X)) || X <- [2, 0, 5]] end) end},
     {ceil_guard, fun() -> [ceil_g(id(X)) || X <- [1.5, 2.5, a]] end},
     {range, fun() -> [range(id(X)) || X <- [5, 10, 15, 20, 21, 9.99, 20.5, 1 bsl 70, -(1 bsl 70), a]] end},
     {byte_range, fun() -> [inter(id(X)) || X <- [0, 255, 256, -1, 1.0, 1 bsl 64]] end},
     {case_many, fun() -> [case id(X) of {ok, [H | _]} when H > 3 -> {big, H}; {ok, [H | _]} -> {small, H}; {ok, []} -> empty; {error, _} = E -> E; _ -> unknown end || X <- [{ok, [5]}, {ok, [1]}, {ok, []}, {error, x}, 7]] end},
     {same_var_twice, fun() -> [case id(X) of {A, A} -> same; {_, _} -> diff end || X <- [{1, 1}, {1, 1.0}, {"a", "a"}, {1, 2}]] end},
     {string_patterns, fun() -> [case id(X) of "abc" ++ R -> {rest, R}; [$x | _] -> x; "" -> empty; _ -> none end || X <- ["abcdef", "abc", "xyz", "", "ab"]] end},
     {deep_pattern, fun() -> [case id(X) of {a, {b, {c, [_, {d, Y} | _]}}} -> Y; _ -> none end || X <- [{a, {b, {c, [1, {d, found}, 2]}}}, {a, {b, {c, [1]}}}]] end},
     {float_int_pattern, fun() -> [case id(X) of 0 -> int0; 0.5 -> half; 1 -> int1; 1.0 -> float1; _ -> other end || X <- [0, 0.5, 1, 1.0, 2]] end},
     {if_many, fun() -> [begin Y = id(X), if Y < 0 -> neg; Y =:= 0 -> zero; Y > 0, Y < 10 -> small; true -> large end end || X <- [-1, 0, 5, 10, a]] end},
     {macro_like, fun() -> [case {id(A), id(B)} of {X, Y} when X > Y -> gt; {X, X} -> eq; _ -> lt end || {A, B} <- [{1, 2}, {2, 2}, {3, 2}]] end},
     {map_guard, fun() -> [case id(X) of M when map_size(M) =:= 1, is_map_key(a, M) -> a; M when is_map(M) -> map; _ -> no end || X <- [#{a => 1}, #{b => 1}, x]] end},
     {andalso_value, fun() -> [id(true) andalso id(5), id(false) andalso id(5), id(true) orelse id(5), id(false) orelse id(5)] end},
     {others_with_labels, fun() -> [guarded(id(X)) || X <- [1.5, -2.5, 7, -7, 1 bsl 70, -(1 bsl 70), a, "x", <<>>, {}, self(), #{}, 1.0e300]] end},
     {others_without, fun() -> [[c(fun() -> F(id(X)) end) || F <- [fun(V) -> trunc(V) end, fun(V) -> round(V) end, fun(V) -> ceil(V) end, fun(V) -> floor(V) end, fun(V) -> abs(V) end, fun(V) -> float(V) end, fun(V) -> bnot V end, fun(V) -> not V end, fun(V) -> node(V) =:= node() end, fun(V) -> size(V) end]]
                                || X <- [1.5, -2.5, 7, -7, 1 bsl 70, -(1 bsl 70), a, true, "x", <<1:9>>, {}, {1}, self(), make_ref(), #{}, 1.0e300]] end},
     {get_of_the_dictionary, fun() -> put(guard_key, 1), A = get(guard_key), put(guard_key, {A, 2}), B = get(guard_key), erase(guard_key), {A, B, get(guard_key)} end},
     {min_and_max, fun() -> [{min(X, Y), max(X, Y)} || X <- [1, 1.0, a, "b", {}], Y <- [1, 1.0, a, "b", {}]] end},
     {andalso_side, fun() -> put(x, 0), _ = id(false) andalso put(x, 1), _ = id(true) orelse put(x, 2), get(x) end},
     {is_function_arity_guard, fun() -> [case id(F) of G when is_function(G, 2) -> two; _ -> no end || F <- [fun lists:map/2, fun id/1, a]] end},
     {is_record_guard, fun() -> [case id(X) of R when is_record(R, r, 2) -> yes; _ -> no end || X <- [#r{a = 1}, {r}, {r, 1, 2}, r]] end},
     {state_machine, fun() -> run("aabbbcab", start, []) end},
     {big_case, fun() -> [big(id(X)) || X <- lists:seq(0, 60, 3)] end}].

run([$a | T], start, A) -> run(T, in_a, [1 | A]);
run([$a | T], in_a, A) -> run(T, in_a, [2 | A]);
run([$b | T], in_a, A) -> run(T, in_b, [3 | A]);
run([$b | T], in_b, A) -> run(T, in_b, [4 | A]);
run([$c | T], _, A) -> run(T, start, [5 | A]);
run([], S, A) -> {S, A}.

big(X) ->
    case X of
        0 -> a0; 1 -> a1; 2 -> a2; 3 -> a3; 4 -> a4; 5 -> a5; 6 -> a6; 7 -> a7; 8 -> a8; 9 -> a9;
        10 -> b0; 11 -> b1; 12 -> b2; 13 -> b3; 14 -> b4; 15 -> b5; 16 -> b6; 17 -> b7; 18 -> b8; 19 -> b9;
        20 -> c0; 22 -> c2; 24 -> c4; 27 -> c7; 30 -> d0; 33 -> d3; 36 -> d6; 39 -> d9; 45 -> e5; 51 -> f1;
        _ -> z
    end.
