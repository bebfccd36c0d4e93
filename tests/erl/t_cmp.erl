%% Comparison: the order over all types, == and =:=.
-module(t_cmp).
-include("diff.hrl").

-record(r, {a, b}).

terms() ->
    [0, 1, -1, 1.0, -1.5, 1 bsl 70, -(1 bsl 70), a, b, 'A', '', aa, 'é', fun t_cmp:id/1, fun lists:map/2,
     {}, {1}, {1, 2}, {1.0, 2}, {a, b, c}, {z}, #{}, #{a => 1}, #{b => 1}, #{a => 2}, #{a => 1, b => 2}, #{1 => a}, #{1.0 => a},
     [], [1], [1.0], [1 | 2], [1, 2], [2], "abc", "abd", [a | b], [[]], [{}],
     <<>>, <<0>>, <<1>>, <<1, 2>>, <<1:1>>, <<1:7>>, <<"abc">>, <<"abd">>, <<255:9>>, #r{a = 1}].

cmp(A, B) -> {A < B, A =< B, A == B, A =:= B, A /= B, A =/= B, A >= B, A > B}.

code({true, true, false, false, true, true, false, false}) -> lt;
code({false, true, true, true, false, false, true, false}) -> eq;
code({false, true, true, false, false, true, true, false}) -> eq_not_exact;
code({false, false, false, false, true, true, true, true}) -> gt;
code(Other) -> {odd, Other}.

tag(0, _) -> 0;
tag(N, A) -> tag(N - 1, [A]).

cases() ->
    [{all_pairs, fun() -> L = [{I, J, code(cmp(id(A), id(B)))} || {I, A} <- num(terms()), {J, B} <- num(terms()), I =< J], [X || {_, _, C} = X <- L, C =/= lt] ++ [erlang:md5(term_to_binary(L))] end},
     {sorted, fun() -> lists:sort(terms()) end},
     {usorted, fun() -> length(lists:usort(terms())) end},
     {types_order, fun() -> P = self(), R = make_ref(), L = lists:sort([<<1>>, [1], [], #{}, {}, P, fun id/1, R, a, 1]), [t(X) || X <- L] end},
     {number_atom, fun() -> code(cmp(id(1 bsl 100), id(a))) end},
     {atoms, fun() -> lists:sort([b, a, aa, ab, 'B', '', '1', 'a b', 'é', 'ÿ', 'ā', 'я', '日本', '😀', 'z']) end},
     {atom_prefix, fun() -> [code(cmp(id(abc), id(X))) || X <- [ab, abc, abcd, abd, abcdefghi, aaaaaaaaaaa]] end},
     {tuples_by_size, fun() -> lists:sort([{3}, {1, 1}, {2}, {}, {0, 0, 0}, {a, b}]) end},
     {lists_by_element, fun() -> lists:sort([[1, 2, 3], [1, 2], [2], [], [1 | a], [1, 2 | 3]]) end},
     {bins, fun() -> lists:sort([<<2>>, <<1, 255>>, <<1>>, <<>>, <<1:1>>, <<0:1>>, <<1:4, 1:1>>, <<128>>]) end},
     {bins_sub, fun() -> <<_:3, B:16/bits, _/bits>> = id(<<1, 2, 3, 4>>), code(cmp(B, id(<<16, 16>>))) end},
     {bins_prefix_bits, fun() -> [code(cmp(id(<<1, 2, 1:1>>), id(X))) || X <- [<<1, 2>>, <<1, 2, 128>>, <<1, 2, 0:1>>, <<1, 2, 1:1>>, <<1, 2, 1:2>>]] end},
     {maps_size_first, fun() -> lists:sort([#{a => 9, b => 9}, #{z => 1}, #{}, #{a => 1}]) end},
     {maps_keys_then_values, fun() -> lists:sort([#{a => 2, b => 1}, #{a => 1, c => 0}, #{a => 1, b => 2}, #{a => 1, b => 1}]) end},
     {maps_int_before_float_keys, fun() -> [code(cmp(id(#{1 => x}), id(#{1.0 => x}))), code(cmp(id(#{1 => 2}), id(#{1 => 2.0}))), code(cmp(id(#{2 => a}), id(#{1.0 => a})))] end},
     {maps_large, fun() -> A = maps:from_list([{I, I} || I <- lists:seq(1, 100)]), B = A#{50 := 51}, C = (maps:remove(100, A))#{101 => 101}, [code(cmp(A, B)), code(cmp(A, C)), code(cmp(A, maps:from_list(lists:reverse(maps:to_list(A)))))] end},
     {maps_large_float, fun() -> A = maps:from_list([{I, I} || I <- lists:seq(1, 100)]), B = maps:map(fun(_, V) -> float(V) end, A), C = maps:from_list([{float(I), I} || I <- lists:seq(1, 100)]), [code(cmp(A, B)), code(cmp(A, C))] end},
     {nested, fun() -> [code(cmp(id({a, [1, {2}]}), id({a, [1, {2.0}]}))), code(cmp(id([{1, 2} | x]), id([{1, 2} | y])))] end},
     {deep_list, fun() -> code(cmp(tag(100000, a), tag(100000, b))) end},
     {deep_equal, fun() -> code(cmp(tag(100000, a), tag(100000, a))) end},
     {long_lists, fun() -> L = lists:seq(1, 100000), code(cmp(L, L ++ [1])) end},
     {funs, fun() -> F = fun(X) -> X + id(1) end, [F =:= F, F == F, id(fun lists:map/2) =:= fun lists:map/2, id(fun lists:map/2) < fun lists:map/3, fun lists:all/2 < fun lists:any/2] end},
     {fun_env, fun() -> Mk = fun(N) -> fun() -> N end end, [Mk(1) =:= Mk(1), Mk(1) =:= Mk(2), Mk(1) < Mk(2)] end},
     {refs_order, fun() -> A = make_ref(), B = make_ref(), {A < B, A =:= A, A == B} end},
     {pids_order, fun() -> A = spawn(fun() -> ok end), B = spawn(fun() -> ok end), {A < B, A =:= A} end},
     {min_max, fun() -> [min(id(1), id(1.0)), min(id(1.0), id(1)), max(id(1), id(1.0)), max(id(1.0), id(1)), min(id(a), id(1)), max(id([]), id(<<>>))] end},
     {big_vs_float, fun() -> [code(cmp(id(1 bsl 1023), id(8.98846567431158e307))), code(cmp(id(1 bsl 1024), id(1.7976931348623157e308))), code(cmp(id(-(1 bsl 1024)), id(-1.7976931348623157e308)))] end},
     {exact_in_list, fun() -> [lists:member(1.0, [1]), lists:keyfind(1.0, 1, [{1, a}]), lists:keymember(1, 1, [{1.0, a}]), [1, 2] -- [1.0], lists:delete(1.0, [1])] end},
     {usort_mixed, fun() -> {lists:usort([1, 1.0, 1]), lists:usort([1.0, 1, 1.0]), lists:sort([1.0, 1]), lists:sort([1, 1.0])} end},
     {ukeysort_mixed, fun() -> lists:ukeysort(1, [{1, a}, {1.0, b}, {2, c}]) end},
     {cmp_guards, fun() -> [case {id(A), id(B)} of {X, Y} when X =:= Y -> exact; {X, Y} when X == Y -> equal; {X, Y} when X < Y -> less; _ -> greater end || A <- [1, 1.0, a, {1}], B <- [1, 1.0, a, {1.0}]] end},
     {ext_fun_vs_local, fun() -> code(cmp(id(fun lists:map/2), id({}))) end},
     {boolean_atoms, fun() -> lists:sort([true, false, undefined, nil, []]) end}].

t(X) when is_number(X) -> number;
t(X) when is_atom(X) -> atom;
t(X) when is_reference(X) -> reference;
t(X) when is_function(X) -> function;
t(X) when is_port(X) -> port;
t(X) when is_pid(X) -> pid;
t(X) when is_tuple(X) -> tuple;
t(X) when is_map(X) -> map;
t([]) -> nil;
t(X) when is_list(X) -> list;
t(X) when is_bitstring(X) -> bitstring.

num(L) -> lists:zip(lists:seq(1, length(L)), L).
