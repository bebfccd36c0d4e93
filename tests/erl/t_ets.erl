%% ETS tables.
-module(t_ets).
-include("diff.hrl").

new(T) -> ets:new(tab, [T, public]).
fill(T, N) -> [ets:insert(T, {I, I * I}) || I <- lists:seq(1, N)], T.
l(T) -> lists:sort(ets:tab2list(T)).
all(F) -> [{T, F(new(T))} || T <- [set, ordered_set, bag, duplicate_bag]].
ord(N) -> fill(new(ordered_set), N).

cases() ->
    [{variables_of_any_number, fun() ->
          E = ets:new(x, []), ets:insert(E, {1, 2}),
          [begin V = list_to_atom(T), {T, cr(fun() -> ets:match(E, {V, '$2'}) end), cr(fun() -> ets:select(E, [{{V, '$2'}, [], ['$$']}]) end), cr(fun() -> ets:select(E, [{{V, '_'}, [], [V]}]) end)} end
           || T <- ["$0", "$00", "$01", "$1000", "$100000000", "$100000001", "$2147483647", "$2147483648", "$4294967295", "$4294967296", "$4294967298", "$99999999999999", "$1a", "$-1", "$", "$0000000001"]] end},
     {odd_continuations, fun() -> T = ets:new(t, [public]), [c(fun() -> ets:F(id(C)) end) || F <- [match, select, match_object], C <- [a, {}, {nosuch, 1}, {1, 2, 3, 4, 5, 6, 7, 8}, {1, 2, 3, 4, 5, 6}, {self(), 1}]] ++ [element(2, c(fun() -> ets:select(id({T, 1, 2, 3})) end))] end},
     {test_ms_order, fun() -> [c(fun() -> ets:test_ms(id(A), id(B)) end) || A <- [1, {a}], B <- [[{'$1', [], ['$_']}], [{'_', [], ['$$']}], [{'$1', [{'==', {element, 1, '$_'}, a}], ['$$']}], x, {}, [a]]] end},
     {insert_lookup, fun() -> all(fun(T) -> ets:insert(T, {a, 1}), ets:insert(T, [{b, 2}, {a, 3}, {a, 1}]), [ets:lookup(T, a), ets:lookup(T, z), ets:info(T, size)] end) end},
     {spec_shapes, fun() -> T = ets:new(t, []), ets:insert(T, {1, a}), C = fun(MS) -> is_reference(ets:match_spec_compile(MS)) end, [[cr(fun() -> F(id(MS)) end) || F <- [C, fun(M) -> ets:select(T, M) end, fun(M) -> ets:select(T, M, 1) end, fun(M) -> ets:select_count(T, M) end, fun(M) -> ets:select_delete(T, M) end, fun(M) -> ets:select_replace(T, M) end, fun(M) -> ets:select_reverse(T, M) end, fun(M) -> ets:test_ms({1}, M) end, fun(M) -> erlang:match_spec_test([1], M, trace) end, fun(M) -> ets:match_spec_run([{1}], ets:match_spec_compile(M)) end]] || MS <- [[], [a], [{}], [{a}], x, {}, [{'_', [], ['$_']} | x], [[]]]] end},
     {insert_new, fun() -> all(fun(T) -> [ets:insert_new(T, {a, 1}), ets:insert_new(T, {a, 2}), ets:insert_new(T, [{a, 1}, {b, 1}]), ets:insert_new(T, [{c, 1}, {c, 2}]), l(T)] end) end},
     {insert_bad, fun() -> T = new(set), [cr(fun() -> ets:insert(T, id(X)) end) || X <- [a, {}, [a], [{a} | b], [{}]]] end},
     {int_float_keys, fun() -> all(fun(T) -> ets:insert(T, {1, int}), ets:insert(T, {1.0, float}), [ets:lookup(T, 1), ets:lookup(T, 1.0), ets:info(T, size)] end) end},
     {member, fun() -> all(fun(T) -> ets:insert(T, {a, 1}), [ets:member(T, a), ets:member(T, b)] end) end},
     {delete, fun() -> all(fun(T) -> ets:insert(T, [{a, 1}, {b, 2}, {a, 3}]), ets:delete(T, a), ets:delete(T, zz), l(T) end) end},
     {delete_object, fun() -> all(fun(T) -> ets:insert(T, [{a, 1}, {a, 2}, {a, 1}, {b, 1}]), ets:delete_object(T, {a, 1}), l(T) end) end},
     {delete_all, fun() -> all(fun(T) -> fill(T, 100), ets:delete_all_objects(T), [ets:info(T, size), ets:first(T)] end) end},
     {bag_list_order, fun() -> [begin T = ets:new(x, [K]), ets:insert(T, [{a, 1}, {a, 2}, {a, 3}]), ets:insert(T, {a, 4}), ets:insert(T, [{a, 6}, {a, 5}]), N = ets:insert_new(T, [{b, 1}, {b, 2}]), [ets:lookup(T, a), N, ets:match(T, {b, '$1'}), ets:take(T, a)] end || K <- [bag, duplicate_bag]] end},
     {lookup_element, fun() -> all(fun(T) -> ets:insert(T, [{a, 1, x}, {a, 2, y}]), [ets:lookup_element(T, a, 2), cr(fun() -> ets:lookup_element(T, z, 2) end), cr(fun() -> ets:lookup_element(T, a, 9) end)] end) end},
     {lookup_element_default, fun() -> T = new(set), cr(fun() -> [ets:lookup_element(T, z, 2, dflt)] end) end},
     {take, fun() -> all(fun(T) -> ets:insert(T, [{a, 1}, {a, 2}, {b, 1}]), [ets:take(T, a), ets:take(T, a), l(T)] end) end},
     {update_element, fun() -> [begin T = new(K), ets:insert(T, {a, 1, 2}), [ets:update_element(T, a, {2, x}), ets:update_element(T, a, [{2, y}, {3, z}]), ets:update_element(T, q, {2, x}), ets:lookup(T, a), cr(fun() -> ets:update_element(T, a, {1, b}) end), cr(fun() -> ets:update_element(T, a, {4, b}) end)] end || K <- [set, ordered_set]] end},
     {update_counter, fun() -> [begin T = new(K), ets:insert(T, {a, 1, 5}), [ets:update_counter(T, a, 1), ets:update_counter(T, a, {3, -2}), ets:update_counter(T, a, [{2, 1}, {3, 1}]), ets:update_counter(T, a, {2, 10, 5, 0}), ets:update_counter(T, a, {2, -10, -3, 100}), ets:update_counter(T, n, 1, {n, 41}), ets:update_counter(T, n, {2, 1}, {n, 0}), ets:lookup(T, a)] end || K <- [set, ordered_set]] end},
     {update_counter_big, fun() -> T = new(set), ets:insert(T, {a, (1 bsl 59) - 1}), [ets:update_counter(T, a, 1), ets:update_counter(T, a, 1 bsl 60), ets:update_counter(T, a, 1 bsl 70), ets:update_counter(T, a, -(1 bsl 70))] end},
     {update_counter_bad, fun() -> T = new(set), ets:insert(T, {a, x, 1}), [cr(fun() -> ets:update_counter(T, K, O) end) || {K, O} <- [{a, 1}, {zz, 1}, {a, {3, x}}, {a, {9, 1}}, {a, {1, 1}}, {a, {0, 1}}, {a, foo}]] ++ [ets:lookup(T, a)] end},
     {first_next_ordered, fun() -> T = ord(5), [ets:first(T), ets:next(T, 1), ets:next(T, 5), ets:next(T, 2.5), ets:last(T), ets:prev(T, 5), ets:prev(T, 1), ets:prev(T, 0), ets:next(T, 99)] end},
     {first_empty, fun() -> all(fun(T) -> [ets:first(T), ets:last(T)] end) end},
     {next_walk, fun() -> all(fun(T) -> fill(T, 100), lists:sort(walk(T, ets:first(T))) =:= lists:seq(1, 100) end) end},
     {next_missing_key, fun() -> all(fun(T) -> ets:insert(T, {a, 1}), cr(fun() -> ets:next(T, zz) end) end) end},
     {ordered_keys_mixed, fun() -> T = new(ordered_set), [ets:insert(T, {K}) || K <- [2, 1.5, a, "s", <<"b">>, {t}, 1, [], #{}]], walk(T, ets:first(T)) end},
     {ordered_equal_key, fun() -> T = new(ordered_set), ets:insert(T, {1, a}), ets:insert(T, {1.0, b}), ets:tab2list(T) end},
     {slot, fun() -> T = ord(3), [ets:slot(T, 0), ets:slot(T, 2), ets:slot(T, 3), cr(fun() -> ets:slot(T, 4) end)] end},
     {tab2list_ordered, fun() -> ets:tab2list(ord(10)) end},
     {bag_order, fun() -> [begin T = new(K), [ets:insert(T, {k, N}) || N <- [3, 1, 2, 1]], ets:lookup(T, k) end || K <- [bag, duplicate_bag]] end},
     {foldl, fun() -> T = ord(10), [ets:foldl(fun({K, _}, A) -> [K | A] end, [], T), ets:foldr(fun({K, _}, A) -> [K | A] end, [], T)] end},
     {match, fun() -> T = ord(5), ets:insert(T, {x, {a, b}}), ets:insert(T, {y, {c, c}}), [ets:match(T, {'$1', 4}), ets:match(T, {'$2', {'$1', '_'}}), ets:match(T, {'_', {'$1', '$1'}}), ets:match(T, {2, '$1'}), ets:match(T, '$1'), ets:match(T, {'$1', '$2'}, 2) =/= []] end},
     {match_object, fun() -> T = ord(5), [ets:match_object(T, {'_', 9}), ets:match_object(T, {3, '_'}), ets:match_object(T, {'$1', '$1'}), ets:match_object(T, '_')] end},
     {match_limit, fun() -> T = ord(10), {A, C} = ets:match(T, {'$1', '_'}, 4), {B, C2} = ets:match(C), {D, _} = ets:match(C2), [A, B, D] end},
     {match_delete, fun() -> T = ord(10), ets:match_delete(T, {5, '_'}), ets:match_delete(T, {'_', 4}), [K || {K, _} <- ets:tab2list(T)] end},
     {select_basic, fun() -> T = ord(10), [ets:select(T, [{{'$1', '$2'}, [{'>', '$1', 7}], ['$2']}]), ets:select(T, [{{'$1', '_'}, [{'<', '$1', 3}], ['$_']}]), ets:select(T, [{{'$1', '$2'}, [{'=:=', {'rem', '$1', 4}, 0}], [{{'$2', '$1'}}]}]), ets:select(T, [{{'$1', '$2'}, [], ['$$']}])] end},
     {select_limit, fun() -> T = ord(10), M = [{{'$1', '_'}, [], ['$1']}], {A, C} = ets:select(T, M, 3), {B, C2} = ets:select(C), {D, C3} = ets:select(C2), {E, C4} = ets:select(C3), [A, B, D, E, C4] end},
     {select_reverse, fun() -> T = ord(10), M = [{{'$1', '_'}, [{'>', '$1', 5}], ['$1']}], {A, _} = ets:select_reverse(T, M, 2), [ets:select_reverse(T, M), A] end},
     {select_count, fun() -> all(fun(T) -> fill(T, 50), ets:select_count(T, [{{'$1', '_'}, [{'>', '$1', 30}], [true]}]) end) end},
     {select_delete, fun() -> all(fun(T) -> fill(T, 50), N = ets:select_delete(T, [{{'$1', '_'}, [{'>', '$1', 30}], [true]}]), {N, ets:info(T, size)} end) end},
     {select_replace, fun() -> [begin T = fill(new(K), 5), N = ets:select_replace(T, [{{'$1', '$2'}, [{'>', '$1', 3}], [{{'$1', {'+', '$2', 1000}}}]}]), {N, l(T)} end || K <- [set, ordered_set, duplicate_bag]] end},
     {select_replace_bad, fun() -> T = fill(new(set), 5), cr(fun() -> ets:select_replace(T, [{{'$1', '$2'}, [], [{{'$2', '$1'}}]}]) end) end},
     {fun2ms_like, fun() -> T = ord(20), ets:select(T, [{{'$1', '$2'}, [{'andalso', {'>', '$1', 3}, {'<', '$1', 7}}], [{{{const, k}, '$1'}}]}]) end},
     {ms_guards, fun() -> T = new(set), ets:insert(T, [{1, a}, {2, "s"}, {3, {x, y}}, {4, #{k => v}}, {5, <<"b">>}, {6, 1.5}]), [{G, lists:sort(ets:select(T, [{{'$1', '$2'}, [{G, '$2'}], ['$1']}]))} || G <- [is_atom, is_list, is_tuple, is_map, is_binary, is_float, is_number, is_integer, is_pid]] end},
     {ms_functions, fun() -> T = ord(3), ets:insert(T, {4, {a, b}}), [ets:select(T, [{{'$1', '$2'}, [{is_integer, '$2'}], [E]}]) || E <- [{abs, '$2'}, {'+', '$1', '$2'}, {'bsl', '$1', 2}, {'not', {'>', '$1', 1}}, {{'$1', [1, '$2']}}, {map_size, #{a => 1}}, ['$1', '$2']]] ++ [ets:select(T, [{{'$1', '$2'}, [{is_tuple, '$2'}], [{element, 2, '$2'}]}]), ets:select(T, [{{'$1', '$2'}, [{'=:=', {size, '$2'}, 2}], ['$1']}])] end},
     {ms_bad, fun() -> T = ord(3), [cr(fun() -> ets:select(T, id(M)) end) || M <- [[], foo, [{a}], [{{'$1', '_'}, [{foo, '$1'}], ['$1']}], [{{'$1', '_'}, [], []}], [{{'$1', '_'}, [], ['$9']}], [{{'$1', '_'}, x, ['$1']}]]] end},
     {ms_error_in_guard_false, fun() -> T = new(set), ets:insert(T, [{1, a}, {2, 5}]), ets:select(T, [{{'$1', '$2'}, [{'>', {'+', '$2', 1}, 3}], ['$1']}]) end},
     {ms_error_in_body, fun() -> T = new(set), ets:insert(T, [{1, a}]), cr(fun() -> ets:select(T, [{{'$1', '$2'}, [], [{'+', '$2', 1}]}]) end) end},
     {ms_test, fun() -> [ets:test_ms({1, 2}, [{{'$1', '$2'}, [{'<', '$1', '$2'}], [{{'$2', '$1'}}]}]), ets:test_ms({1, 2}, [{{'$1', '$1'}, [], ['$1']}]), ets:is_compiled_ms(ets:match_spec_compile([{'_', [], ['$_']}])), ets:match_spec_run([{1}, {2}, x], ets:match_spec_compile([{{'$1'}, [], ['$1']}]))] end},
     {ms_map_pattern, fun() -> T = new(set), ets:insert(T, [{1, #{a => 1}}, {2, #{a => 2, b => 3}}]), lists:sort(ets:select(T, [{{'$1', #{a => '$2'}}, [], [{{'$1', '$2'}}]}])) end},
     {ms_multi_clause, fun() -> T = ord(6), ets:select(T, [{{1, '_'}, [], [one]}, {{'$1', '_'}, [{'=:=', {'rem', '$1', 2}, 0}], [{{even, '$1'}}]}]) end},
     {partial_bound_ordered, fun() -> T = new(ordered_set), [ets:insert(T, {{A, B}, A * B}) || A <- [1, 2, 3], B <- [1, 2, 3]], [ets:match(T, {{2, '$1'}, '_'}), ets:select(T, [{{{3, '$1'}, '$2'}, [], ['$2']}])] end},
     {named, fun() -> T = ets:new(t_ets_named, [named_table]), ets:insert(t_ets_named, {a, 1}), [T, ets:whereis(t_ets_named) =/= undefined, ets:lookup(T, a), cr(fun() -> ets:new(t_ets_named, [named_table]) end), ets:delete(t_ets_named), ets:whereis(t_ets_named)] end},
     {rename, fun() -> ets:new(t_ets_old, [named_table]), ets:insert(t_ets_old, {a}), [ets:rename(t_ets_old, t_ets_new), ets:lookup(t_ets_new, a), ets:whereis(t_ets_old), cr(fun() -> ets:rename(nosuch, x) end)] end},
     {protection, fun() -> [begin T = ets:new(x, [P]), ets:insert(T, {a, 1}), S = self(), spawn(fun() -> S ! {r, cr(fun() -> ets:lookup(T, a) end), cr(fun() -> ets:insert(T, {b, 2}) end)} end), receive {r, A, B} -> {P, A, B} end end || P <- [public, protected, private]] end},
     {error_info, fun() -> T = ets:new(x, []), ets:delete(T), [c3(fun() -> ets:lookup(T, a) end), c3(fun() -> ets:insert(T, {a}) end), c3(fun() -> ets:lookup(nosuch, a) end), c3(fun() -> ets:new(x, [foo]) end), c3(fun() -> ets:new(1, []) end)] end},
     {deleted_table, fun() -> T = ets:new(x, []), [ets:delete(T), cr(fun() -> ets:lookup(T, a) end), ets:info(T), ets:info(T, size), cr(fun() -> ets:delete(T) end)] end},
     {owner_dies, fun() -> S = self(), {P, R} = spawn_monitor(fun() -> S ! {t, ets:new(x, [public])} end), T = receive {t, X} -> X end, receive {'DOWN', R, _, P, _} -> ok end, gone(T, 100) end},
     {heir, fun() -> S = self(), {P, R} = spawn_monitor(fun() -> T = ets:new(x, [{heir, S, data}]), ets:insert(T, {a, 1}) end), receive {'DOWN', R, _, P, _} -> ok end, receive {'ETS-TRANSFER', T, P, D} -> {D, ets:lookup(T, a), ets:info(T, owner) =:= S} after 1000 -> nothing end end},
     {give_away, fun() -> S = self(), P = spawn(fun() -> receive {'ETS-TRANSFER', T, F, D} -> S ! {got, F =:= S, D, ets:lookup(T, a), ets:info(T, owner) =:= self()} end end), T = ets:new(x, []), ets:insert(T, {a, 1}), R = ets:give_away(T, P, gift), receive M -> {R, M} end end},
     {give_away_bad, fun() -> T = ets:new(x, []), [cr(fun() -> ets:give_away(T, self(), x) end), cr(fun() -> ets:give_away(T, id(foo), x) end)] end},
     {info, fun() -> T = ets:new(myname, [bag, public, {keypos, 2}, {read_concurrency, true}, {write_concurrency, true}, compressed]), [ets:info(T, K) || K <- [name, type, protection, keypos, size, named_table, compressed, read_concurrency, write_concurrency, heir, node]] ++ [ets:info(T, owner) =:= self(), cr(fun() -> ets:info(T, foo) end)] end},
     {info_all_keys, fun() -> T = new(set), lists:sort([K || {K, _} <- ets:info(T)]) end},
     {info_memory, fun() -> T = new(set), A = ets:info(T, memory), fill(T, 1000), B = ets:info(T, memory), B > A end},
     {keypos, fun() -> T = ets:new(x, [{keypos, 2}]), ets:insert(T, {v, k}), [ets:lookup(T, k), cr(fun() -> ets:insert(T, {only}) end), cr(fun() -> ets:new(x, [{keypos, 0}]) end)] end},
     {setopts, fun() -> T = ets:new(x, []), [ets:setopts(T, {heir, none}), cr(fun() -> ets:setopts(T, foo) end)] end},
     {compressed, fun() -> T = ets:new(x, [compressed]), ets:insert(T, {a, lists:seq(1, 100), <<"bin">>, #{m => 1}}), ets:lookup(T, a) =:= [{a, lists:seq(1, 100), <<"bin">>, #{m => 1}}] end},
     {safe_fixtable, fun() -> T = fill(new(set), 20), ets:safe_fixtable(T, true), F = ets:first(T), [ets:delete(T, K) || K <- lists:seq(1, 20)], N = ets:next(T, F), A = ets:info(T, size), ets:insert(T, {99}), ets:safe_fixtable(T, false), {N, A, l(T)} end},
     {delete_while_walking, fun() -> T = fill(new(ordered_set), 20), del(T, ets:first(T)), ets:info(T, size) end},
     {grow_shrink, fun() -> T = fill(new(set), 5000), [ets:delete(T, K) || K <- lists:seq(1, 4990)], l(T) end},
     {large_ordered, fun() -> T = new(ordered_set), [ets:insert(T, {(I * 7919) rem 10007, I}) || I <- lists:seq(1, 10006)], [K || {K, _} <- ets:tab2list(T)] =:= lists:seq(1, 10006) end},
     {ordered_random_ops, fun() -> T = new(ordered_set), ops(T, 5000, 7), {ets:info(T, size), erlang:phash2(ets:tab2list(T))} end},
     {to_from_dets_free, fun() -> T = fill(new(set), 3), U = new(bag), [ets:to_dets(T, nodets) || false] ++ [ets:info(U, size)] end},
     {copy_semantics, fun() -> T = new(set), B = binary:copy(<<"x">>, 1000), ets:insert(T, {k, B, [1, {2}]}), [{k, C, L}] = ets:lookup(T, k), {C =:= B, L} end},
     {concurrent_counter, fun() -> T = ets:new(x, [public, {write_concurrency, true}]), ets:insert(T, {c, 0}), S = self(), [spawn(fun() -> [ets:update_counter(T, c, 1) || _ <- lists:seq(1, 1000)], S ! done end) || _ <- lists:seq(1, 4)], [receive done -> ok end || _ <- lists:seq(1, 4)], ets:lookup(T, c) end},
     {init_table, fun() -> T = new(set), ets:init_table(T, fun(read) -> {[{a, 1}, {b, 2}], fun(read) -> end_of_input; (close) -> ok end}; (close) -> ok end), l(T) end},
     {from_to_list, fun() -> T = new(set), [ets:insert(T, lists:zip(lists:seq(1, 100), lists:seq(101, 200))), ets:lookup(T, 50), length(ets:tab2list(T))] end},
     {all_tables, fun() -> T = new(set), lists:member(T, ets:all()) end},
     {tab2file, fun() -> T = fill(new(set), 10), ok = ets:tab2file(T, "t_ets.tab"), {ok, U} = ets:file2tab("t_ets.tab"), l(U) =:= l(T) end},
     {repair_options, fun() -> [cr(fun() -> is_reference(ets:new(x, O)) end) || O <- [[set, bag], [{read_concurrency, x}], [{keypos, a}], [named_table], [{decentralized_counters, true}], foo, [{heir, x}]]] end},
     {binary_keys, fun() -> T = new(set), [ets:insert(T, {integer_to_binary(I), I}) || I <- lists:seq(1, 1000)], [ets:lookup(T, <<"777">>), ets:member(T, <<"0">>)] end},
     {tuple_in_tuple_match, fun() -> T = new(bag), ets:insert(T, [{a, {b, 1}}, {a, {b, 2}}, {a, {c, 3}}]), lists:sort(ets:match(T, {a, {b, '$1'}})) end},
     {list_pattern, fun() -> T = new(bag), ets:insert(T, [{a, [1, 2, 3]}, {b, [1]}, {c, []}]), [lists:sort(ets:match(T, {'$1', [1 | '$2']})), ets:match(T, {'$1', []})] end}].

c3(F) -> case c(F) of {error, R, {M, N, A, I}} -> {R, M, N, length(A), I}; X -> X end.

walk(_, '$end_of_table') -> [];
walk(T, K) -> [K | walk(T, ets:next(T, K))].

del(_, '$end_of_table') -> ok;
del(T, K) -> N = ets:next(T, K), ets:delete(T, K), del(T, N).

gone(T, 0) -> ets:info(T, size);
gone(T, N) -> case ets:info(T, size) of undefined -> gone; _ -> timer:sleep(2), gone(T, N - 1) end.

ops(_, 0, _) -> ok;
ops(T, N, R) ->
    R1 = (R * 1103515245 + 12345) band 16#7fffffff,
    K = (R1 bsr 8) rem 500,
    case R1 rem 3 of
        0 -> ets:delete(T, K);
        _ -> ets:insert(T, {K, N})
    end,
    ops(T, N - 1, R1).
