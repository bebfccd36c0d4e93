%% Maps, flat and hashed.
-module(t_map).
-include("diff.hrl").

m(N) -> maps:from_list([{I, I * I} || I <- lists:seq(1, N)]).
l(M) -> lists:sort(maps:to_list(M)).

up(M, K, V) -> M#{K => V}.
ex(M, K, V) -> M#{K := V}.
two(M) -> M#{a => 1, b := 2}.

match(#{a := X, b := Y}) -> {both, X, Y};
match(#{a := X}) -> {a, X};
match(#{}) -> other;
match(_) -> nomap.

key(K, M) -> case M of #{K := V} -> {found, V}; #{} -> none end.

size_g(M) when map_size(M) > 3 -> large;
size_g(M) when is_map(M) -> small;
size_g(_) -> none.

mapg(M) when map_get(k, M) =:= 1 -> one;
mapg(M) when is_map_key(k, M) -> has;
mapg(_) -> no.

literal_keys(X, Y) -> #{type => X, number => Y, exponent => 0}.

many_literal_keys(X) -> #{a => X, b => 2, "c" => 3, 4 => d, 5.0 => e, {f} => 6, <<"g">> => X, #{h => 1} => 8, [] => 9}.

cases() ->
    [{merge_shares_keys, fun() ->
          A = #{"hi" => "hello", int => 3, <<"key">> => <<"value">>}, K = erts_internal:map_to_tuple_keys(A), Same = fun(X, Y) -> erts_debug:same(X, Y) end,
          B = maps:put(int, 4, maps:remove(int, A)), Before = Same(erts_internal:map_to_tuple_keys(B), K), C = maps:merge(A, B),
          {Before, Same(B, C), Same(erts_internal:map_to_tuple_keys(B), K), Same(maps:merge(B, A), A), B, Same(erts_internal:map_to_tuple_keys(maps:merge(A, #{int => 4})), K)} end},
     {literal_keys_shared, fun() -> A = literal_keys(id(1), id(2)), B = literal_keys(id(x), id([y])), {A, B, erts_debug:same(erts_internal:map_to_tuple_keys(A), erts_internal:map_to_tuple_keys(B)), A#{number := 3}, maps:remove(type, B)} end},
     {many_literal_keys, fun() -> M = many_literal_keys(id(z)), {M, M =:= maps:from_list(maps:to_list(M)), maps:get("c", M), map_size(M)} end},
     {exact_order, fun() -> [c(fun() -> F(id(#{1 => a})) end) || F <- [fun(M) -> M#{42.0 := v, 42 := w} end, fun(M) -> M#{1 := b, z := 1, a := 2, "l" := 3, {t} := 4, 7 := 5} end, fun(M) -> M#{z := 1, b := 2} end, fun(M) -> M#{1.0 := c, 1 := b} end]] end},
     {empty, fun() -> [#{}, map_size(id(#{})), maps:new(), maps:to_list(#{})] end},
     {literal, fun() -> l(id(#{a => 1, "b" => 2, {c} => 3, 4.0 => 5, <<"x">> => y})) end},
     {build, fun() -> l(#{id(a) => 1, id(b) => 2, id(a) => 3}) end},
     {build_var_keys, fun() -> l(#{id(1) => a, id(1.0) => b, id(x) => c, id({}) => d}) end},
     {update, fun() -> [l(up(id(#{a => 1}), a, 2)), l(up(id(#{a => 1}), b, 2))] end},
     {update_exact, fun() -> [l(ex(id(#{a => 1}), a, 2)), c(fun() -> ex(id(#{a => 1}), b, 2) end), c(fun() -> ex(id(x), b, 2) end)] end},
     {update_mixed, fun() -> [l(two(id(#{b => 0, c => 5}))), c(fun() -> two(id(#{a => 1})) end), c(fun() -> two(id([])) end)] end},
     {update_keeps_old, fun() -> M = id(#{a => 1}), _ = M#{a => 2, z => 3}, l(M) end},
     {match, fun() -> [match(id(X)) || X <- [#{a => 1, b => 2}, #{a => 1}, #{}, x, #{b => 1}]] end},
     {match_large, fun() -> M = (m(100))#{a => 1, b => 2}, match(M) end},
     {match_key_var, fun() -> [key(id(K), id(#{1 => a, x => b, {t} => c})) || K <- [1, 1.0, x, {t}, y]] end},
     {match_value, fun() -> [case id(X) of #{a := 1} -> one; #{a := {Y, _}} -> Y; #{a := _} -> any; _ -> none end || X <- [#{a => 1}, #{a => {2, 3}}, #{a => q}, #{}]] end},
     {match_nested, fun() -> #{a := #{b := [#{c := X}]}} = id(#{a => #{b => [#{c => deep}]}}), X end},
     {badmatch, fun() -> cr(fun() -> #{zz := _} = id(#{a => 1}) end) end},
     {size, fun() -> [map_size(m(N)) || N <- [0, 1, 31, 32, 33, 1000]] end},
     {size_bad, fun() -> c(fun() -> map_size(id([])) end) end},
     {guards, fun() -> [size_g(id(X)) || X <- [#{}, m(10), x]] ++ [mapg(id(X)) || X <- [#{k => 1}, #{k => 2}, #{}, x]] end},
     {get, fun() -> M = id(#{a => 1}), [maps:get(a, M), maps:get(b, M, def), map_get(a, M), maps:find(a, M), maps:find(b, M), is_map_key(a, M), maps:is_key(b, M)] end},
     {get_bad, fun() -> [c(fun() -> maps:get(b, id(#{a => 1})) end), c(fun() -> maps:get(b, id(x)) end), c(fun() -> map_get(b, id(#{})) end), c(fun() -> map_get(b, id(x)) end), c(fun() -> maps:find(a, id(x)) end), c(fun() -> is_map_key(a, id(x)) end), c(fun() -> maps:get(a, id(x), d) end)] end},
     {put_remove, fun() -> M = id(#{a => 1}), [l(maps:put(b, 2, M)), l(maps:remove(a, M)), l(maps:remove(z, M)), maps:take(a, M), maps:take(z, M)] end},
     {put_bad, fun() -> [c(fun() -> maps:put(a, 1, id(x)) end), c(fun() -> maps:remove(a, id(x)) end), c(fun() -> maps:take(a, id(x)) end), c(fun() -> maps:update(z, 1, id(#{})) end), c(fun() -> maps:update(z, 1, id(x)) end)] end},
     {keys_values, fun() -> M = m(50), [lists:sort(maps:keys(M)), lists:sort(maps:values(M))] end},
     {keys_bad, fun() -> [c(fun() -> maps:keys(id(x)) end), c(fun() -> maps:values(id(x)) end), c(fun() -> maps:to_list(id(x)) end)] end},
     {from_list, fun() -> [l(maps:from_list([{a, 1}, {b, 2}, {a, 3}])), map_size(maps:from_list([{I rem 40, I} || I <- lists:seq(1, 200)])), maps:get(7, maps:from_list([{I rem 40, I} || I <- lists:seq(1, 200)]))] end},
     {from_list_bad, fun() -> [c(fun() -> maps:from_list(id([a])) end), c(fun() -> maps:from_list(id([{a, 1} | b])) end), c(fun() -> maps:from_list(id(x)) end), c(fun() -> maps:from_list(id([{a, 1, 2}])) end)] end},
     {from_keys, fun() -> [l(maps:from_keys([a, b, a], 0)), map_size(maps:from_keys(lists:seq(1, 100), x)), c(fun() -> maps:from_keys(id(x), 0) end), c(fun() -> maps:from_keys(id([a | b]), 0) end)] end},
     {merge, fun() -> [l(maps:merge(#{a => 1, b => 1}, #{b => 2, c => 2})), map_size(maps:merge(m(20), maps:from_list([{I, x} || I <- lists:seq(15, 40)]))), maps:get(20, maps:merge(m(50), #{20 => new})), maps:get(20, maps:merge(#{20 => old}, m(50)))] end},
     {merge_large, fun() -> A = m(500), B = maps:from_list([{I, x} || I <- lists:seq(400, 900)]), M = maps:merge(A, B), [map_size(M), maps:get(450, M), maps:get(399, M), map_size(maps:merge(B, A))] end},
     {merge_bad, fun() -> [c(fun() -> maps:merge(id(x), #{}) end), c(fun() -> maps:merge(#{}, id(x)) end)] end},
     {merge_with, fun() -> [l(maps:merge_with(fun(_, A, B) -> A + B end, #{a => 1, b => 2}, #{b => 3, c => 4})), l(maps:intersect(#{a => 1, b => 2}, #{b => 3})), l(maps:intersect_with(fun(K, A, B) -> {K, A, B} end, #{a => 1, b => 2}, #{b => 3}))] end},
     {grow_to_large, fun() -> M = lists:foldl(fun(I, A) -> A#{I => I} end, #{}, lists:seq(1, 1000)), [map_size(M), lists:sum(maps:values(M)), lists:all(fun(I) -> maps:get(I, M) =:= I end, lists:seq(1, 1000))] end},
     {shrink_to_small, fun() -> M = lists:foldl(fun maps:remove/2, m(100), lists:seq(5, 100)), [l(M), M =:= m(4), map_size(M)] end},
     {shrink_grow_equal, fun() -> A = lists:foldl(fun maps:remove/2, m(1000), lists:seq(41, 1000)), B = m(40), [A =:= B, A == B, erlang:phash2(A) =:= erlang:phash2(B)] end},
     {boundary_32_33, fun() -> A = m(32), B = A#{33 => x}, C = maps:remove(33, B), [map_size(A), map_size(B), A =:= C, maps:get(33, B), maps:is_key(33, C)] end},
     {update_large, fun() -> M = m(1000), M2 = M#{500 := new, 1001 => x}, [maps:get(500, M), maps:get(500, M2), map_size(M2), cr(fun() -> M#{2000 := x} end)] end},
     {large_float_int_keys, fun() -> M = maps:from_list([{I, int} || I <- lists:seq(1, 40)] ++ [{float(I), float} || I <- lists:seq(1, 40)]), [map_size(M), maps:get(7, M), maps:get(7.0, M)] end},
     {large_mixed_keys, fun() -> Ks = [1, 1 bsl 70, a, "str", <<"bin">>, {t, 1}, [], #{}, #{a => 1}, 1.5, fun lists:map/2], M = lists:foldl(fun(K, A) -> A#{K => K} end, m(100), Ks), [maps:get(K, M) =:= K || K <- Ks] end},
     {large_bin_keys, fun() -> M = maps:from_list([{integer_to_binary(I), I} || I <- lists:seq(1, 500)]), [maps:get(<<"123">>, M), maps:find(<<"x">>, M), lists:sum(maps:values(M))] end},
     {large_deep_keys, fun() -> M = maps:from_list([{{I, [I], #{I => I}}, I} || I <- lists:seq(1, 200)]), [maps:get({77, [77], #{77 => 77}}, M), maps:is_key({77, [77], #{77 => 78}}, M)] end},
     {map_as_key, fun() -> M = #{m(50) => big, #{} => empty}, [maps:get(m(50), M), maps:get(#{}, M), maps:find(m(49), M)] end},
     {map_fold, fun() -> [l(maps:map(fun(K, V) -> K + V end, m(5))), maps:fold(fun(K, V, A) -> A + K * V end, 0, m(100)), l(maps:filter(fun(K, _) -> K > 3 end, m(5))), l(maps:filtermap(fun(K, V) when K > 3 -> {true, {V}}; (_, _) -> false end, m(5)))] end},
     {map_fold_bad, fun() -> [c(fun() -> maps:map(id(x), #{}) end), c(fun() -> maps:fold(id(fun(X) -> X end), 0, #{}) end), c(fun() -> maps:filter(fun(_, _) -> true end, id(x)) end)] end},
     {with_without, fun() -> [l(maps:with([1, 2, 99], m(5))), l(maps:without([1, 2, 99], m(5))), map_size(maps:with(lists:seq(1, 60), m(100))), map_size(maps:without(lists:seq(1, 90), m(100)))] end},
     {update_with, fun() -> [l(maps:update_with(a, fun(V) -> V + 1 end, #{a => 1})), l(maps:update_with(b, fun(V) -> V + 1 end, 0, #{a => 1})), c(fun() -> maps:update_with(b, fun(V) -> V end, id(#{})) end)] end},
     {iterator, fun() -> lists:sort(walk(maps:next(maps:iterator(m(5))), [])) end},
     {iterator_large, fun() -> W = walk(maps:next(maps:iterator(m(500))), []), [length(W), lists:sort(W) =:= l(m(500))] end},
     {iterator_bad, fun() -> [c(fun() -> maps:iterator(id(x)) end), c(fun() -> maps:next(id(x)) end), maps:next(maps:iterator(#{}))] end},
     {keys_and_values_are_to_list_order, fun() -> M = m(300), lists:zip(maps:keys(M), maps:values(M)) =:= maps:to_list(M) end},
     {groups_from_list, fun() -> [l(maps:groups_from_list(fun(X) -> X rem 3 end, lists:seq(1, 10))), l(maps:groups_from_list(fun(X) -> X rem 2 end, fun(X) -> -X end, [1, 2, 3]))] end},
     {foreach, fun() -> put(s, 0), maps:foreach(fun(K, V) -> put(s, get(s) + K * V) end, m(40)), get(s) end},
     {equal_insert_order, fun() -> A = lists:foldl(fun(I, M) -> M#{I => I} end, #{}, lists:seq(1, 100)), B = lists:foldr(fun(I, M) -> M#{I => I} end, #{}, lists:seq(1, 100)), [A =:= B, erlang:phash2(A) =:= erlang:phash2(B), maps:to_list(A) =:= maps:to_list(B)] end},
     {print_small, fun() -> lists:flatten(io_lib:format("~p ~w", [#{1 => a, 2 => [b]}, #{1 => #{}}])) end},
     {send_large, fun() -> M = m(1000), S = self(), spawn(fun() -> S ! {map, M} end), receive {map, X} -> X =:= M end end},
     {nested_update, fun() -> M = id(#{a => #{b => 1}}), M2 = M#{a := (maps:get(a, M))#{b := 2}}, M2 end},
     {literal_large, fun() -> M = #{1 => a, 2 => b, 3 => c, 4 => d, 5 => e, 6 => f, 7 => g, 8 => h, 9 => i, 10 => j, 11 => k, 12 => l, 13 => m, 14 => n, 15 => o, 16 => p, 17 => q, 18 => r, 19 => s, 20 => t, 21 => u, 22 => v, 23 => w, 24 => x, 25 => y, 26 => z, 27 => aa, 28 => bb, 29 => cc, 30 => dd, 31 => ee, 32 => ff, 33 => gg, 34 => hh, 35 => ii}, [map_size(id(M)), maps:get(id(34), M), M =:= maps:from_list(lists:reverse(maps:to_list(id(M))))] end},
     {collide_like, fun() -> M = maps:from_list([{{I rem 16, I bsl 32}, I} || I <- lists:seq(1, 3000)]), lists:all(fun(I) -> maps:get({I rem 16, I bsl 32}, M) =:= I end, lists:seq(1, 3000)) end},
     {pid_ref_keys, fun() -> Ks = [make_ref() || _ <- lists:seq(1, 100)] ++ [self()], M = maps:from_list([{K, 1} || K <- Ks]), [map_size(M), lists:sum([maps:get(K, M) || K <- Ks])] end},
     {same_put, fun() -> V = id({v}), [erts_debug:same(maps:put(1, maps:get(1, M), M), M) || M <- [#{1 => V}, (m(200))#{1 => V}, (m(5000))#{1 => V}]] end},
     {same_merge, fun() -> [[erts_debug:same(maps:merge(A, B), B) || {A, B} <- [{#{}, M}, {M, M}, {M, maps:merge(#{}, M)}]] || M <- [m(3), m(200), m(5000)]] end},
     {random_ops, fun() -> ops(5000, 12345, #{}, 0) end}].

walk(none, A) -> A;
walk({K, V, I}, A) -> walk(maps:next(I), [{K, V} | A]).

ops(0, _, M, S) -> {map_size(M), S, erlang:phash2(lists:sort(maps:to_list(M)))};
ops(N, R, M, S) ->
    R1 = (R * 1103515245 + 12345) band 16#7fffffff,
    K = (R1 bsr 8) rem 300,
    case R1 rem 3 of
        0 -> ops(N - 1, R1, M#{K => N}, S);
        1 -> ops(N - 1, R1, maps:remove(K, M), S + 1);
        2 -> ops(N - 1, R1, M, S + maps:get(K, M, 0))
    end.
