%% Data structures and helpers of stdlib.
-module(t_stdlib).
-include("diff.hrl").

cases() ->
    [{sets, fun() -> A = sets:from_list([1, 2, 3]), B = sets:from_list([3, 4]), [lists:sort(sets:to_list(F)) || F <- [sets:union(A, B), sets:intersection(A, B), sets:subtract(A, B), sets:add_element(9, A), sets:del_element(1, A)]] ++ [sets:is_element(2, A), sets:size(A), sets:is_subset(B, A)] end},
     {sets_v2, fun() -> A = sets:from_list([1, 2, 3], [{version, 2}]), [lists:sort(sets:to_list(sets:union(A, sets:from_list([5], [{version, 2}])))), sets:is_disjoint(A, A), sets:fold(fun(X, S) -> X + S end, 0, A), sets:is_set(A)] end},
     {sets_large, fun() -> S = lists:foldl(fun sets:add_element/2, sets:new(), lists:seq(1, 3000)), {sets:size(S), lists:sum(sets:to_list(sets:filter(fun(X) -> X rem 2 =:= 0 end, S)))} end},
     {ordsets, fun() -> A = ordsets:from_list([3, 1, 2, 3]), [A, ordsets:union(A, [0, 9]), ordsets:intersection(A, [1, 5]), ordsets:subtract(A, [1]), ordsets:is_subset([1], A), ordsets:add_element(2.0, A)] end},
     {gb_sets, fun() -> S = gb_sets:from_list([5, 3, 8, 1]), {X, S2} = gb_sets:take_smallest(S), [X, gb_sets:to_list(S2), gb_sets:largest(S), gb_sets:is_member(3, S), gb_sets:size(S), gb_sets:to_list(gb_sets:union(S, gb_sets:from_list([2, 9])))] end},
     {gb_trees, fun() -> T = lists:foldl(fun(I, A) -> gb_trees:insert(I, I * I, A) end, gb_trees:empty(), [5, 2, 8, 1, 9, 3]), [gb_trees:to_list(T), gb_trees:get(8, T), gb_trees:lookup(7, T), gb_trees:smallest(T), gb_trees:keys(gb_trees:delete(5, T)), cr(fun() -> gb_trees:insert(5, x, T) end), cr(fun() -> gb_trees:get(77, T) end)] end},
     {gb_trees_large, fun() -> T = lists:foldl(fun(I, A) -> gb_trees:enter((I * 7919) rem 10007, I, A) end, gb_trees:empty(), lists:seq(1, 3000)), {gb_trees:size(T), erlang:phash2(gb_trees:to_list(gb_trees:balance(T)))} end},
     {gb_iter, fun() -> I = gb_trees:iterator(gb_trees:from_orddict([{1, a}, {2, b}])), {K, V, I2} = gb_trees:next(I), {K2, V2, I3} = gb_trees:next(I2), [K, V, K2, V2, gb_trees:next(I3)] end},
     {dict, fun() -> D = dict:from_list([{a, 1}, {b, 2}]), [lists:sort(dict:to_list(dict:store(c, 3, D))), dict:fetch(a, D), dict:find(z, D), dict:is_key(b, D), dict:size(D), lists:sort(dict:fetch_keys(dict:erase(a, D))), dict:fold(fun(_, V, A) -> V + A end, 0, D)] end},
     {dict_update, fun() -> D = lists:foldl(fun(W, A) -> dict:update_counter(W, 1, A) end, dict:new(), [a, b, a, c, a]), E = dict:append(k, v, dict:append(k, w, dict:new())), [lists:sort(dict:to_list(D)), dict:fetch(k, E), cr(fun() -> dict:fetch(zz, D) end)] end},
     {dict_large, fun() -> D = lists:foldl(fun(I, A) -> dict:store(I, I, A) end, dict:new(), lists:seq(1, 2000)), {dict:size(D), dict:fold(fun(K, V, A) -> K + V + A end, 0, D), lists:sum([dict:fetch(I, D) || I <- lists:seq(1, 2000)])} end},
     {orddict, fun() -> D = orddict:from_list([{b, 2}, {a, 1}]), [D, orddict:store(c, 3, D), orddict:find(a, D), orddict:merge(fun(_, X, Y) -> X + Y end, D, [{a, 10}]), orddict:filter(fun(_, V) -> V > 1 end, D)] end},
     {queue, fun() -> Q = lists:foldl(fun queue:in/2, queue:new(), [1, 2, 3]), {{value, X}, Q2} = queue:out(Q), [X, queue:to_list(Q2), queue:len(Q), queue:peek_r(Q), queue:to_list(queue:reverse(Q)), queue:to_list(queue:in_r(0, Q)), queue:is_empty(queue:new()), queue:out(queue:new()), queue:member(2, Q)] end},
     {queue_many, fun() -> {Q, S} = lists:foldl(fun(I, {Q, S}) -> case I rem 3 of 0 -> {{value, V}, Q1} = queue:out(Q), {Q1, S + V}; _ -> {queue:in(I, Q), S} end end, {queue:new(), 0}, lists:seq(1, 999)), {queue:len(Q), S} end},
     {dets_set, fun() -> dets_run(set) end},
     {dets_bag, fun() -> dets_run(bag) end},
     {array, fun() -> A = array:set(5, x, array:from_list([a, b, c])), [array:get(1, A), array:get(4, A), array:size(A), array:to_list(A), array:sparse_to_list(A), array:foldl(fun(I, V, Acc) -> [{I, V} | Acc] end, [], A)] end},
     {array_large, fun() -> A = lists:foldl(fun(I, A) -> array:set(I, I * 2, A) end, array:new({default, 0}), lists:seq(0, 2000, 3)), {array:size(A), array:foldl(fun(_, V, S) -> V + S end, 0, A), cr(fun() -> array:get(-1, A) end)} end},
     {proplists, fun() -> L = [a, {b, 2}, {c, 3}, {b, 4}], [proplists:get_value(a, L), proplists:get_value(b, L), proplists:get_all_values(b, L), proplists:delete(b, L), proplists:is_defined(z, L), proplists:unfold(L), proplists:get_bool(a, L), proplists:to_map([{x, 1}, y])] end},
     {digraph, fun() -> G = digraph:new(), [digraph:add_vertex(G, V) || V <- [a, b, c]], digraph:add_edge(G, a, b), digraph:add_edge(G, b, c), R = [digraph:get_path(G, a, c), digraph:get_path(G, c, a), lists:sort(digraph:out_neighbours(G, a)), digraph_utils:topsort(G), length(digraph:edges(G))], digraph:delete(G), R end},
     {sofs, fun() -> R = sofs:relation([{a, 1}, {b, 2}]), sofs:to_external(sofs:domain(R)) end},
     {rand_seeded, fun() -> S = rand:seed_s(exsss, {1, 2, 3}), {L, _} = lists:mapfoldl(fun(_, A) -> rand:uniform_s(1000, A) end, S, lists:seq(1, 10)), L end},
     {rand_algs, fun() -> [begin {V, _} = rand:uniform_s(1000000, rand:seed_s(A, 42)), {A, V} end || A <- [exsss, exro928ss, exrop, exs1024s, exsp]] end},
     {rand_float, fun() -> {F, _} = rand:uniform_s(rand:seed_s(exsss, 7)), {N, _} = rand:normal_s(rand:seed_s(exsss, 7)), [F, N] end},
     {rand_bytes, fun() -> {B, _} = rand:bytes_s(10, rand:seed_s(exsss, 1)), B end},
     {random_old, fun() -> cr(fun() -> {X, _} = random:uniform_s(100, {1, 2, 3}), X end) end},
     {lists_extra, fun() -> [lists:keysort(2, [{a, 2}, {b, 1}]), lists:ukeymerge(1, [{a, 1}], [{a, 2}, {b, 1}]), lists:zipwith3(fun(A, B, C) -> A + B + C end, [1], [2], [3]), lists:sublist([1, 2, 3], 5), lists:nthtail(0, [a])] end},
     {filename, fun() -> [filename:join("a", "b"), filename:join(["/a", "/b", "c"]), filename:basename("/x/y.erl"), filename:basename("y.erl", ".erl"), filename:dirname("/a/b/c"), filename:extension("a.b.c"), filename:rootname("a.b"), filename:split("/a/b"), filename:pathtype("/a"), filename:pathtype("a"), filename:flatten([a, "b"]), filename:absname("x", "/y"), filename:nativename("a/b")] end},
     {filename_bin, fun() -> [filename:join(<<"a">>, "b"), filename:basename(<<"/x/y">>), filename:split(<<"/a/b">>)] end},
     {uri_string, fun() -> [uri_string:parse("http://user@host:80/p/a?q=1#f"), uri_string:normalize("http://A.com/%7Ea/../b"), uri_string:recompose(#{scheme => "http", host => "h", path => "/p"}), uri_string:compose_query([{"a", "b c"}]), uri_string:dissect_query("a=b&c=%20")] end},
     {base64_more, fun() -> [base64:encode_to_string(<<N:24>>) || N <- [0, 1, 16#FFFFFF]] ++ [base64:decode(base64:encode(binary:copy(<<1, 2, 3>>, 100))) =:= binary:copy(<<1, 2, 3>>, 100)] end},
     {zlib_roundtrip, fun() -> B = binary:copy(<<"hello ">>, 1000), [zlib:uncompress(zlib:compress(B)) =:= B, zlib:gunzip(zlib:gzip(B)) =:= B, zlib:unzip(zlib:zip(B)) =:= B, cr(fun() -> zlib:uncompress(<<1, 2, 3>>) end)] end},
     {zlib_stream, fun() -> Z = zlib:open(), zlib:deflateInit(Z), A = zlib:deflate(Z, <<"abc">>), B = zlib:deflate(Z, <<"def">>, finish), zlib:deflateEnd(Z), zlib:close(Z), zlib:uncompress(iolist_to_binary([A, B])) end},
     {zlib_crc, fun() -> [erlang:crc32(<<"abc">>), byte_size(zlib:compress(<<>>))] end},
     {erl_lint_parse, fun() -> {ok, T, _} = erl_scan:string("-module(m). "), {ok, F} = erl_parse:parse_form(T), erl_lint:module([F, {eof, 2}]) end},
     {compile_forms, fun() -> Forms = [{attribute, 1, module, tmod}, {attribute, 1, export, [{f, 1}]}, {function, 1, f, 1, [{clause, 1, [{var, 1, 'X'}], [], [{op, 1, '*', {var, 1, 'X'}, {integer, 1, 2}}]}]}], {ok, tmod, B} = compile:forms(Forms, []), {module, tmod} = code:load_binary(tmod, "tmod", B), R = tmod:f(21), code:purge(tmod), code:delete(tmod), R end},
     {compile_error, fun() -> Forms = [{attribute, 1, module, tmod2}, {attribute, 1, export, [{f, 1}]}], {error, E, _} = compile:forms(Forms, [return]), [{lists:flatten(M:format_error(D))} || {_, L} <- E, {_, M, D} <- L] end},
     {beam_lib, fun() -> {ok, {M, [{exports, E}]}} = beam_lib:chunks(code:which(?MODULE), [exports]), {M, lists:member({cases, 0}, E)} end},
     {lists_deep_sort, fun() -> lists:sort(fun(A, B) -> length(A) =< length(B) end, [[1, 2], [1], [], [3, 4, 5]]) end},
     {ms_transform_free, fun() -> cr(fun() -> ets:fun2ms(fun({A, _}) when A > 1 -> A end) end) end},
     {calendar_more, fun() -> [calendar:iso_week_number({2024, 12, 30}), calendar:date_to_gregorian_days(2000, 1, 1), calendar:time_difference({{2020, 1, 1}, {0, 0, 0}}, {{2020, 1, 2}, {1, 0, 0}}), calendar:last_day_of_the_month(2023, 2)] end},
     {string_to_term, fun() -> {ok, T, _} = erl_scan:string("[1, {a, \"x\"}]."), erl_parse:parse_term(T) end},
     {maps_stdlib, fun() -> [maps:fold(fun(K, V, A) -> [{K, V} | A] end, [], #{1 => a}), maps:to_list(maps:map(fun(_, V) -> V + 1 end, #{1 => 1}))] end},
     {pool_parallel, fun() -> S = self(), [spawn(fun() -> S ! {I, lists:sum(lists:seq(1, I * 100))} end) || I <- lists:seq(1, 8)], [receive {I, R} -> R end || I <- lists:seq(1, 8)] end}].

%% Writing over pairs, walking, deleting and closing in a file of its own.
dets_run(Type) ->
    Name = "dets_" ++ atom_to_list(Type),
    file:delete(Name),
    {ok, T} = dets:open_file(Name, [{type, Type}]),
    Data = [{I, w, lists:seq(1, I rem 20)} || I <- lists:seq(1, 120)],
    [ok = dets:insert(T, X) || X <- Data ++ [{17, q}, {48, q, lists:seq(1, 40)}] ++ Data],
    Walked = dets_walk(T, dets:first(T), []),
    ok = dets:delete(T, 17),
    ok = dets:match_delete(T, {'_', w, []}),
    Info = [dets:info(T, K) || K <- [size, no_keys, type]],
    ok = dets:close(T),
    {ok, T} = dets:open_file(Name, [{type, Type}]),
    Again = lists:sort(dets:match_object(T, '_')),
    ok = dets:close(T),
    [lists:sort(Walked), Info, Again].

dets_walk(_, '$end_of_table', All) -> All;
dets_walk(T, Key, All) ->
    Here = dets:lookup(T, Key),
    dets_walk(T, dets:next(T, Key), Here ++ All).
