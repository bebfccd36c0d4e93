%% releases: 29
%% Native records, strict and zipped generators.
-module(t_new29).
-export([dist/1]).
-export_record([point, box]).
-include("diff.hrl").

-record #point{x = 0, y = 1}.
-record #box{a, b = none, list = []}.
-record #empty{}.
%% Names that are in no other module: what they count depends on the order of atoms.
-record #one{t_new29_f = 1}.
-record #fresh{t_new29_c, t_new29_a, t_new29_b}.

dist(#point{x = X, y = Y}) -> X * X + Y * Y;
dist(#box{a = A}) -> {box, A};
dist(#_{x = X}) -> {anon, X};
dist(_) -> other.

moved(P, N) -> P#point{x = N}.

guarded(P) when is_record(P, point), P#point.x > 3 -> far;
guarded(P) when is_record(P, point) -> near;
guarded(_) -> none.

cases() ->
    [{zip_to_binary, fun() -> {<< <<X, Y>> || X <- id([1, 2]) && Y <- id([3, 4]) >>, << <<X, Y>> || <<X>> <= id(<<1, 2>>) && <<Y>> <= id(<<3, 4>>) >>, << <<X, Y>> || <<X>> <= id(<<1, 2>>) && Y <- id([3, 4]) >>, << <<X:3, Y:5>> || X <:- id([1, 2]) && Y <- id([3, 4]) >>} end},
     {zip_to_long_binary, fun() -> L = lists:seq(1, 2000), B = << <<X:16, Y:24>> || X <- L && Y <- L >>, {byte_size(B), erlang:md5(B)} end},
     {zip_to_bits, fun() -> L = lists:seq(1, 700), B = << <<X:3, Y:10>> || X <- L && Y <- L >>, {bit_size(B), erlang:phash2(B)} end},
     {hibernate_in_place, fun() ->
          Self = self(),
          P = spawn(fun() -> X = lists:seq(1, 10), Self ! {self(), erlang:hibernate(), X}, receive M -> Self ! {self(), M} end end),
          Early = receive {P, _, _} -> early after 50 -> waits end,
          {reductions, R1} = process_info(P, reductions),
          Later = receive {P, _, _} -> early after 50 -> waits end,
          {reductions, R2} = process_info(P, reductions),
          P ! wake,
          {Early, Later, R2 - R1 < 100, receive {P, A, L} -> {A, L} end, receive {P, B} -> B end} end},
     {hibernate_in_place_large, fun() ->
          Self = self(),
          P = spawn(fun() -> X = lists:seq(1, 300000), R = erlang:hibernate(), Self ! {self(), R, lists:sum(X)} end),
          P ! wake,
          A = receive {P, R1, S1} -> {R1, S1} end,
          Q = spawn(fun() -> X = lists:seq(1, 300000), Self ! ready, R = erlang:hibernate(), Self ! {self(), R, lists:sum(X)} end),
          receive ready -> ok end, true = garbage_collect(Q),
          Q ! wake,
          {A, receive {Q, R2, S2} -> {R2, S2} end} end},
     {create, fun() -> P = #point{x = id(5)}, [P#point.x, P#point.y, is_record(P), is_tuple(P)] end},
     {defaults, fun() -> B = #box{a = id(1), b = #point{}}, [(B#box.b)#point.y, B#box.list, (#box{a = 1})#box.b] end},
     {update, fun() -> P = moved(#point{}, id(9)), Q = P#point{y = 7}, [P#point.x, Q#point.x, Q#point.y] end},
     {match, fun() -> [dist(id(X)) || X <- [#point{x = 3, y = 4}, #box{a = q}, a, {point, 1, 2}, #empty{}]] end},
     {guard, fun() -> [guarded(id(X)) || X <- [#point{x = 5}, #point{}, #box{a = 1}, x]] end},
     {is_record, fun() -> P = id(#point{}), [is_record(P, point), is_record(P, box), is_record(P, t_new29, point), is_record(P, other, point), is_record(id(a))] end},
     {qualified, fun() -> P = id(#t_new29:point{x = 2}), [P#t_new29:point.x, P =:= #point{x = 2}] end},
     {anonymous_get, fun() -> P = id(#point{x = 8}), P#_.x end},
     {errors_get, fun() -> [c(fun() -> (id(X))#point.x end) || X <- [a, {point, 1, 2}, #box{a = 1}]] end},
     {errors_update, fun() -> [c(fun() -> moved(id(X), 1) end) || X <- [a, #box{a = 1}, #{}]] end},
     {errors_anonymous, fun() -> [c(fun() -> (id(X))#_.zz end) || X <- [a, #point{}]] end},
     {module_api, fun() -> P = id(#point{x = 1, y = 2}), [records:get(x, P), records:get_name(P), records:get_module(P), records:get_field_names(P), records:is_exported(P)] end},
     {module_api_update, fun() -> P = id(#point{x = 1}), Q = cr(fun() -> records:update(P, t_new29, point, #{x => 5}) end), case Q of {ok, R} -> [R#point.x, R =:= #point{x = 5}]; E -> E end end},
     {module_api_create, fun() -> case cr(fun() -> records:create(t_new29, point, #{x => 7}, #{}) end) of {ok, R} -> R#point.x; {C, _} -> C end end},
     {module_api_bad, fun() -> [cr(fun() -> records:get(id(zz), #point{}) end), cr(fun() -> records:get(x, id(a)) end), cr(fun() -> records:get_name(id(a)) end)] end},
     {compare, fun() -> A = id(#point{x = 1}), B = id(#point{x = 2}), [A < B, A == #point{x = 1}, A =:= #point{x = 1.0}, A == #point{x = 1.0}, #point{} =:= #empty{}] end},
     {order_among_types, fun() -> L = lists:sort([#point{}, {a}, #{}, [], <<>>, a, 1, #empty{}]), [if is_record(X) -> {rec, records:get_name(X)}; true -> X end || X <- L] end},
     {print, fun() -> [lists:flatten(io_lib:format(F, [X])) || F <- ["~p", "~w"], X <- [#point{x = 1}, #box{a = "s"}, #empty{}]] end},
     {etf, fun() -> P = id(#box{a = [1, {2}]}), B = term_to_binary(P), [binary_to_term(B) =:= P, byte_size(B), erlang:external_size(P) >= byte_size(B)] end},
     {etf_bytes, fun() -> term_to_binary(#point{x = 1, y = 2}) end},
     {hash, fun() -> [erlang:phash2(#point{x = 1}), erlang:phash2(#empty{})] end},
     {hashes, fun() -> [{erlang:phash2(X), erlang:phash2({X, a})} || X <- [#one{}, #one{t_new29_f = "s"}, #one{t_new29_f = #one{}}, [#empty{}, #empty{}], #fresh{t_new29_c = 1, t_new29_a = 2, t_new29_b = 3}, #fresh{t_new29_c = [#one{}], t_new29_a = <<1>>, t_new29_b = {}}]] end},
     {priority_down, fun() -> {P, M} = spawn_monitor(fun() -> receive go -> ok end end), Q = spawn(fun() -> receive go -> ok end end), erlang:monitor(process, P, [priority]), erlang:monitor(process, P, [priority, {tag, tagged}]), self() ! a, P ! go, receive {'DOWN', M, _, _, _} -> ok end, erlang:monitor(process, Q, [priority]), self() ! b, Q ! go, [receive X when is_tuple(X) -> element(1, X); X -> X after 500 -> none end || _ <- lists:seq(1, 6)] end},
     {priority_while_waiting, fun() -> P = spawn(fun() -> receive go -> ok end end), M = erlang:monitor(process, P, [priority]), self() ! a, erlang:send_after(20, P, go), receive {'DOWN', M, _, _, R} -> {R, receive X -> X after 0 -> none end} after 2000 -> none end end},
     {priority_spawn, fun() -> {_, M} = spawn_opt(fun() -> ok end, [{monitor, [priority]}]), [receive {'DOWN', M, _, _, R} -> R after 2000 -> none end, cr(fun() -> erlang:monitor(process, self(), [id(prio)]) end)] end},
     {priority_send, fun() -> S = self(), A = alias([priority]), B = alias([]), S ! 1, erlang:send(A, 2, [priority]), erlang:send(A, 3), erlang:send(B, 4, [priority]), erlang:send(A, 5, [priority, nosuspend]), erlang:send(S, 6, [priority]), [receive X -> X after 500 -> none end || _ <- lists:seq(1, 6)] end},
     {priority_alias, fun() -> A = alias([priority, reply]), self() ! 0, erlang:send(A, 1, [priority]), erlang:send(A, 2, [priority]), [receive X -> X after 50 -> none end || _ <- lists:seq(1, 3)] ++ [cr(fun() -> is_reference(alias(id(O))) end) || O <- [[priority], [explicit_unalias, priority], [foo], [{priority, true}]]] ++ [cr(fun() -> erlang:send(self(), x, id([foo])) end)] end},
     {send, fun() -> S = self(), P = id(#box{a = lists:seq(1, 10)}), spawn(fun() -> S ! P end), receive #box{a = A} -> lists:sum(A) end end},
     {ets, fun() -> T = ets:new(x, []), ets:insert(T, {k, #point{x = 4}}), [{k, P}] = ets:lookup(T, k), P#point.x end},
     {as_key, fun() -> M = #{#point{x = 1} => one, #point{x = 2} => two}, maps:get(id(#point{x = 2}), M) end},
     {gc, fun() -> L = [#point{x = I, y = {I}} || I <- lists:seq(1, 1000)], garbage_collect(), lists:sum([X || #point{x = X} <- L]) end},
     {element_fails, fun() -> [c(fun() -> element(1, id(#point{})) end), c(fun() -> tuple_size(id(#point{})) end)] end},
     {strict_generator, fun() -> [[X || {ok, X} <:- id([{ok, 1}, {ok, 2}])], cr(fun() -> [X || {ok, X} <:- id([{ok, 1}, error])] end)] end},
     {strict_binary, fun() -> [[X || <<X:16>> <:= id(<<0, 1, 0, 2>>)], cr(fun() -> [X || <<X:16>> <:= id(<<0, 1, 2>>)] end)] end},
     {strict_map, fun() -> cr(fun() -> [K || K := 1 <:- id(#{a => 2})] end) end},
     {zip, fun() -> [{X, Y} || X <- id([1, 2, 3]) && Y <- id([a, b, c])] end},
     {zip_mixed, fun() -> [{X, Y} || X <- id([1, 2]) && <<Y>> <= id(<<7, 8>>)] end},
     {zip_bad, fun() -> [c(fun() -> [{X, Y} || X <- id([1, 2]) && Y <- id([a])] end)] end},
     {zip_map, fun() -> #{X => Y || X <- id([1, 2]) && Y <- id([a, b])} end}].
