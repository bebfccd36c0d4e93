%% What a node that is not alive says to those who ask for other nodes.
-module(t_nodist).
-include("diff.hrl").

-define(N, foo@bar).

next() -> receive X -> X after 300 -> none end.

%% References and processes are not to be seen.
plain(X) when is_reference(X) -> ref;
plain(X) when is_pid(X) -> pid;
plain([H | T]) -> [plain(H) | plain(T)];
plain(T) when is_tuple(T) -> list_to_tuple(plain(tuple_to_list(T)));
plain(X) -> X.

req(O) -> plain([cr(fun() -> spawn_request(?N, erlang, node, [], O) end), next()]).
mon(F) -> [cr(fun() -> F() end)].

%% The warnings of those who could not be started are not part of this.
quiet(F) ->
    Level = maps:get(level, logger:get_primary_config()),
    logger:set_primary_config(level, none),
    try F() after logger:set_primary_config(level, Level) end.

started(F) -> quiet(fun() -> process_flag(trap_exit, true), {A, B} = spawn_monitor(fun() -> process_flag(trap_exit, true), exit({plain(cr(F)), plain(next())}) end), receive {'DOWN', B, _, A, R} -> R end end).

cases() ->
    [{rpc, fun() -> [cr(F) || F <- [fun() -> rpc:call(?N, erlang, node, []) end, fun() -> rpc:cast(?N, erlang, node, []) end, fun() -> rpc:multicall([?N, node()], erlang, node, []) end, fun() -> rpc:block_call(?N, erlang, node, []) end, fun() -> rpc:abcast([?N], x, y) end, fun() -> rpc:sbcast([?N], x, y) end, fun() -> rpc:yield(rpc:async_call(?N, erlang, node, [])) end]] end},
     {erpc, fun() -> [cr(F) || F <- [fun() -> erpc:call(?N, erlang, node, []) end, fun() -> erpc:cast(?N, erlang, node, []) end, fun() -> erpc:multicall([?N, node()], erlang, node, []) end, fun() -> erpc:receive_response(erpc:send_request(?N, erlang, node, [])) end]] end},
     {request, fun() -> [req(O) || O <- [[], [link], [monitor], [{monitor, [{tag, x}]}], [{monitor, [{alias, demonitor}]}], [{reply_tag, tag}], [foo], [{a, b, c}], [{priority, foo}]]] end},
     {request_reply, fun() -> [req([{reply, R}]) || R <- [yes, no, error_only, success_only, foo, 1]] end},
     {request_bad_option, fun() -> [req(O) || O <- [[{monitor, x}], [{monitor, [x]}], [{reply_tag, t}, {monitor, [x]}, {reply, no}], [{reply, no}, {reply, x}], [{reply, no}, {reply, yes}], x, [link | x]]] end},
     {request_bad, fun() -> [plain(cr(fun() -> spawn_request(id(N), id(M), id(F), id(A), []) end)) || {N, M, F, A} <- [{?N, 1, f, []}, {?N, m, "f", []}, {?N, m, f, [a | b]}, {?N, m, f, x}, {1, m, f, []}, {"x", m, f, []}]] end},
     {request_fun, fun() -> plain([cr(fun() -> spawn_request(?N, fun() -> ok end) end), next()]) end},
     {abandon, fun() -> [cr(fun() -> spawn_request_abandon(id(R)) end) || R <- [spawn_request(?N, erlang, node, []), spawn_request(erlang, node, []), spawn_request(?N, erlang, node, [], [{reply, no}]), erlang:alias(), make_ref(), x, self()]] end},
     {spawn, fun() -> [started(F) || F <- [fun() -> spawn(?N, erlang, node, []) end, fun() -> spawn_link(?N, erlang, node, []) end, fun() -> spawn_monitor(?N, erlang, node, []) end, fun() -> spawn_opt(?N, erlang, node, [], [monitor, link]) end, fun() -> spawn_opt(?N, erlang, node, [], [{monitor, [{tag, t}]}]) end, fun() -> spawn(?N, fun() -> ok end) end]] end},
     {spawn_bad, fun() -> [started(F) || F <- [fun() -> spawn_opt(?N, erlang, node, [], [{monitor, x}]) end, fun() -> spawn_opt(?N, erlang, node, [], [{reply, no}]) end, fun() -> spawn_opt(?N, erlang, node, [], [{reply_tag, t}]) end, fun() -> spawn_opt(?N, erlang, node, [], x) end, fun() -> spawn(?N, erlang, node, x) end, fun() -> spawn(id(1), erlang, node, []) end]] end},
     {monitor, fun() -> [c(fun() -> monitor(K, id(W)) end) || {K, W} <- [{process, {x, ?N}}, {port, {x, ?N}}, {process, {1, ?N}}, {process, {x, 1}}]] ++ [begin R = monitor(process, {nobody, node()}), receive {'DOWN', R, A, B, C} -> {A, B, C} end end] end},
     {monitor_node, fun() -> [c(fun() -> erlang:monitor_node(id(N), id(F)) end) || {N, F} <- [{?N, true}, {?N, false}, {?N, x}, {node(), true}, {node(), false}, {node(), x}, {1, true}, {"a", false}]] ++ [c(fun() -> erlang:monitor_node(node(), true, id(O)) end) || O <- [[], [allow_passive_connect], [foo], [allow_passive_connect, foo], foo, [allow_passive_connect | x]]] ++ [c(fun() -> erlang:monitor_node(?N, true, [foo]) end)] end},
     {send, fun() -> [cr(F) || F <- [fun() -> {x, ?N} ! y end, fun() -> erlang:send({x, ?N}, y, [noconnect]) end, fun() -> erlang:send({x, ?N}, y, [nosuspend]) end, fun() -> erlang:send_nosuspend({x, ?N}, y) end, fun() -> gen_server:call({x, ?N}, y) end, fun() -> gen_server:cast({x, ?N}, y) end, fun() -> global:whereis_name(x) end]] end},
     {net, fun() -> [cr(F) || F <- [fun() -> net_adm:ping(?N) end, fun() -> net_kernel:connect_node(?N) end, fun() -> erlang:disconnect_node(?N) end, fun() -> nodes() end, fun() -> lists:member(node(), nodes(known)) end, fun() -> nodes([this, hidden]) end, fun() -> nodes(foo) end, fun() -> is_alive() end, fun() -> erlang:get_cookie() end, fun() -> net_kernel:stop() end, fun() -> auth:is_auth(?N) end]] end}].
