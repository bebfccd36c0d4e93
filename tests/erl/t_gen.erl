%% processes
%% gen_server, gen_statem, gen_event, supervisor and application.
-module(t_gen).
-behaviour(gen_server).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2, terminate/2, code_change/3, handle_continue/2, callback_mode/0, handle_event/4, handle_event/2, start_child/2, sup_init/1, format_status/1]).
-include("diff.hrl").

init({sup, Spec}) -> Spec;
init({statem, S, D}) -> {ok, S, D};
init({event, S}) -> {ok, S};
init({server, ignore}) -> ignore;
init({server, {stop, R}}) -> {stop, R};
init({server, {error, R}}) -> error(R);
init({server, {continue, X}}) -> {ok, X, {continue, more}};
init({server, {timeout, T}}) -> {ok, T, T};
init({server, {badret, X}}) -> X;
init({server, S}) -> {ok, S}.

handle_call(get, _, S) -> {reply, S, S};
handle_call({set, X}, _, S) -> {reply, S, X};
handle_call(crash, _, _) -> error(crashed);
handle_call({exit, R}, _, _) -> exit(R);
handle_call({throw, R}, _, _) -> throw(R);
handle_call({stop, R}, _, S) -> {stop, R, stopping, S};
handle_call(noreply, From, S) -> gen_server:reply(From, delayed), {noreply, S};
handle_call(never, _, S) -> {noreply, S};
handle_call(bad, _, _) -> bad_return;
handle_call(statem, _, S) -> {reply, statem, S}.

handle_cast({set, X}, _) -> {noreply, X};
handle_cast({stop, R}, S) -> {stop, R, S};
handle_cast(crash, _) -> error(cast_crash).

handle_info({notify, P}, S) -> P ! {notified, S}, {noreply, S};
handle_info(timeout, S) -> case whereis(t_gen_obs) of undefined -> ok; P -> P ! {timed_out, S} end, {noreply, S};
handle_info(_, S) -> {noreply, S}.

handle_continue(more, S) -> {noreply, {continued, S}}.

terminate(R, S) -> case whereis(t_gen_obs) of undefined -> ok; P -> P ! {terminated, R, S} end, ok.
code_change(_, S, _) -> {ok, S}.
format_status(S) -> S.

callback_mode() -> handle_event_function.
handle_event({call, From}, get, State, Data) -> {keep_state_and_data, [{reply, From, {State, Data}}]};
handle_event({call, From}, {go, New}, State, Data) -> {next_state, New, [State | Data], [{reply, From, ok}]};
handle_event({call, From}, postpone_until_open, open, _) -> {keep_state_and_data, [{reply, From, was_open}]};
handle_event({call, _}, postpone_until_open, _, _) -> {keep_state_and_data, [postpone]};
handle_event(cast, {timeout, T}, _, _) -> {keep_state_and_data, [{state_timeout, T, expired}]};
handle_event(state_timeout, expired, S, D) -> {next_state, timed_out, [{from, S} | D]};
handle_event(cast, {next, N}, _, D) -> {keep_state, D, [{next_event, internal, {inner, N}}]};
handle_event(internal, {inner, N}, _, D) -> {keep_state, [N | D]};
handle_event(cast, stop, _, _) -> {stop, normal};
handle_event(_, crash, _, _) -> error(statem_crash).

handle_event(E, S) -> {ok, [E | S]}.

start_child(Name, Arg) -> gen_server:start_link({local, Name}, ?MODULE, {server, Arg}, []).
sup_init(S) -> S.

srv(S) -> {ok, P} = gen_server:start(?MODULE, {server, S}, []), P.
sm(S) -> {ok, P} = gen_statem:start(?MODULE, {statem, S, []}, []), P.
sup(Strategy, Kids) ->
    process_flag(trap_exit, true),
    {ok, P} = supervisor:start_link(?MODULE, {sup, {ok, {#{strategy => Strategy, intensity => 3, period => 5}, Kids}}}),
    P.
kid(Name) -> kid(Name, permanent).
kid(Name, R) -> #{id => Name, start => {?MODULE, start_child, [Name, 0]}, restart => R}.
stop(P) -> R = monitor(process, P), unlink(P), exit(P, shutdown), receive {'DOWN', R, _, _, _} -> ok end.
wait_new(Name, Old) -> case whereis(Name) of undefined -> timer:sleep(1), wait_new(Name, Old); Old -> timer:sleep(1), wait_new(Name, Old); P -> P end.
wait_dead(P) -> R = monitor(process, P), receive {'DOWN', R, _, _, W} -> W end.
%% The reason of a failed call without its stack.
ce(F) -> try F() catch exit:{{R, [_ | _]}, {gen_server, call, [_, M | _]}} -> {exit, R, M}; exit:{R, {gen_server, call, [_, M | _]}} -> {exit, R, M}; C:R -> {C, R} end.

cases() ->
    [{call, fun() -> P = srv(5), R = [gen_server:call(P, get), gen_server:call(P, {set, 6}), gen_server:call(P, get)], gen_server:stop(P), R end},
     {cast, fun() -> P = srv(1), gen_server:cast(P, {set, 2}), R = gen_server:call(P, get), gen_server:stop(P), R end},
     {info, fun() -> P = srv(1), P ! {notify, self()}, receive M -> M after 1000 -> none end end},
     {noreply, fun() -> gen_server:call(srv(1), noreply) end},
     {call_timeout, fun() -> P = srv(1), ce(fun() -> gen_server:call(P, never, 10) end) end},
     {call_crash, fun() -> P = srv(1), ce(fun() -> gen_server:call(P, crash) end) end},
     {call_exit, fun() -> P = srv(1), ce(fun() -> gen_server:call(P, {exit, why}) end) end},
     {call_throw_is_return, fun() -> P = srv(1), gen_server:call(P, {throw, {reply, thrown, 9}}) end},
     {call_bad_return, fun() -> P = srv(1), ce(fun() -> gen_server:call(P, bad) end) end},
     {call_stop, fun() -> P = srv(1), R = monitor(process, P), {gen_server:call(P, {stop, normal}), receive {'DOWN', R, _, _, W} -> W end} end},
     {call_noproc, fun() -> ce(fun() -> gen_server:call(no_such_server, x) end) end},
     {call_dead, fun() -> P = srv(1), gen_server:stop(P), ce(fun() -> gen_server:call(P, get) end) end},
     {call_function_clause, fun() -> P = srv(1), element(1, ce(fun() -> gen_server:call(P, unknown_request) end)) end},
     {cast_missing, fun() -> gen_server:cast(no_such_server, x) end},
     {start_ignore, fun() -> gen_server:start(?MODULE, {server, ignore}, []) end},
     {start_stop, fun() -> gen_server:start(?MODULE, {server, {stop, why}}, []) end},
     {start_error, fun() -> {error, {R, S}} = gen_server:start(?MODULE, {server, {error, why}}, []), {R, [F || {M, F, _, _} <- S, M =:= ?MODULE]} end},
     {start_bad_return, fun() -> gen_server:start(?MODULE, {server, {badret, foo}}, []) end},
     {start_link_stop, fun() -> process_flag(trap_exit, true), R = gen_server:start_link(?MODULE, {server, {stop, why}}, []), {R, receive {'EXIT', _, W} -> W after 100 -> none end} end},
     {start_named, fun() -> {ok, P} = gen_server:start({local, t_gen_n}, ?MODULE, {server, 1}, []), {error, {already_started, P}} = gen_server:start({local, t_gen_n}, ?MODULE, {server, 1}, []), R = gen_server:call(t_gen_n, get), gen_server:stop(t_gen_n), R end},
     {start_timeout, fun() -> cr(fun() -> gen_server:start(?MODULE, {server, 1}, [{timeout, 1000}]) =/= x end) end},
     {start_monitor, fun() -> {ok, {P, R}} = gen_server:start_monitor(?MODULE, {server, 1}, []), gen_server:stop(P), receive {'DOWN', R, _, _, W} -> W end end},
     {continue, fun() -> gen_server:call(srv({continue, 3}), get) end},
     {timeout, fun() -> register(t_gen_obs, self()), P = srv({timeout, 5}), R = receive {timed_out, S} -> S after 1000 -> none end, gen_server:stop(P), R end},
     {terminate, fun() -> register(t_gen_obs, self()), P = srv(7), gen_server:stop(P, shutdown, 1000), receive {terminated, R, S} -> {R, S} after 1000 -> none end end},
     {terminate_on_crash, fun() -> register(t_gen_obs, self()), P = srv(7), gen_server:cast(P, crash), receive {terminated, {R, _}, S} -> {R, S} after 1000 -> none end end},
     {stop_bad, fun() -> cr(fun() -> gen_server:stop(no_such_srv_at_all) end) end},
     {multi_call, fun() -> {ok, P} = gen_server:start({local, t_gen_m}, ?MODULE, {server, 3}, []), R = gen_server:multi_call([node()], t_gen_m, get), gen_server:stop(P), R end},
     {send_request, fun() -> P = srv(4), Rq = gen_server:send_request(P, get), R = gen_server:wait_response(Rq, 1000), gen_server:stop(P), R end},
     {reply_many, fun() -> P = srv(0), R = lists:sum([gen_server:call(P, {set, I}) || I <- lists:seq(1, 500)]), gen_server:stop(P), R end},
     {concurrent_calls, fun() -> P = srv(1), S = self(), [spawn(fun() -> S ! {r, gen_server:call(P, get)} end) || _ <- lists:seq(1, 100)], R = lists:sum([receive {r, X} -> X end || _ <- lists:seq(1, 100)]), gen_server:stop(P), R end},
     {sys_get_state, fun() -> P = srv({s, 1}), A = sys:get_state(P), sys:replace_state(P, fun({s, N}) -> {s, N + 1} end), R = {A, sys:get_state(P)}, gen_server:stop(P), R end},
     {sys_suspend, fun() -> P = srv(1), sys:suspend(P), R = ce(fun() -> gen_server:call(P, get, 20) end), sys:resume(P), R2 = gen_server:call(P, get), gen_server:stop(P), {R, R2} end},
     {sys_status, fun() -> P = srv(1), {status, P, {module, M}, [_, running, _ | _]} = sys:get_status(P), gen_server:stop(P), M end},
     {sys_statistics, fun() -> P = srv(1), sys:statistics(P, true), gen_server:call(P, get), {ok, L} = sys:statistics(P, get), gen_server:stop(P), proplists:get_value(messages_in, L) end},
     {statem_basic, fun() -> P = sm(closed), R = [gen_statem:call(P, get), gen_statem:call(P, {go, open}), gen_statem:call(P, get)], gen_statem:stop(P), R end},
     {statem_postpone, fun() -> P = sm(closed), S = self(), spawn(fun() -> S ! {r, gen_statem:call(P, postpone_until_open)} end), timer:sleep(5), gen_statem:call(P, {go, open}), R = receive {r, X} -> X after 1000 -> none end, gen_statem:stop(P), R end},
     {statem_timeout, fun() -> P = sm(a), gen_statem:cast(P, {timeout, 5}), timer:sleep(50), R = gen_statem:call(P, get), gen_statem:stop(P), R end},
     {statem_timeout_cancelled, fun() -> P = sm(a), gen_statem:cast(P, {timeout, 200}), gen_statem:call(P, {go, b}), timer:sleep(5), R = gen_statem:call(P, get), gen_statem:stop(P), R end},
     {statem_next_event, fun() -> P = sm(a), gen_statem:cast(P, {next, 1}), gen_statem:cast(P, {next, 2}), R = gen_statem:call(P, get), gen_statem:stop(P), R end},
     {statem_stop, fun() -> P = sm(a), M = monitor(process, P), gen_statem:cast(P, stop), receive {'DOWN', M, _, _, W} -> W after 2000 -> timeout end end},
     {statem_crash, fun() -> P = sm(a), R = monitor(process, P), gen_statem:cast(P, crash), receive {'DOWN', R, _, _, {W, S}} -> {W, [F || {M, F, _, _} <- S, M =:= ?MODULE]} end end},
     {event, fun() -> {ok, P} = gen_event:start(), ok = gen_event:add_handler(P, ?MODULE, {event, []}), gen_event:notify(P, a), gen_event:sync_notify(P, b), R = {gen_event:which_handlers(P), sys:get_state(P)}, gen_event:stop(P), R end},
     {sup_children, fun() -> P = sup(one_for_one, [kid(t_gen_k1), kid(t_gen_k2)]), R = {[{I, T} || {I, _, T, _} <- supervisor:which_children(P)], supervisor:count_children(P)}, stop(P), R end},
     {sup_restart, fun() -> P = sup(one_for_one, [kid(t_gen_k1), kid(t_gen_k2)]), A = whereis(t_gen_k1), B = whereis(t_gen_k2), exit(A, kill), A2 = wait_new(t_gen_k1, A), R = {A2 =/= A, whereis(t_gen_k2) =:= B}, stop(P), R end},
     {sup_one_for_all, fun() -> P = sup(one_for_all, [kid(t_gen_k1), kid(t_gen_k2)]), A = whereis(t_gen_k1), B = whereis(t_gen_k2), exit(A, kill), A2 = wait_new(t_gen_k1, A), B2 = wait_new(t_gen_k2, B), R = {A2 =/= A, B2 =/= B}, stop(P), R end},
     {sup_rest_for_one, fun() -> P = sup(rest_for_one, [kid(t_gen_k1), kid(t_gen_k2), kid(t_gen_k3)]), [A, B, C] = [whereis(K) || K <- [t_gen_k1, t_gen_k2, t_gen_k3]], exit(B, kill), wait_new(t_gen_k2, B), wait_new(t_gen_k3, C), R = whereis(t_gen_k1) =:= A, stop(P), R end},
     {sup_intensity, fun() -> P = sup(one_for_one, [kid(t_gen_k1)]), R = monitor(process, P), kill_loop(t_gen_k1, 4, P), receive {'DOWN', R, _, _, W} -> W after 2000 -> alive end end},
     {sup_temporary, fun() -> P = sup(one_for_one, [kid(t_gen_k1, temporary)]), A = whereis(t_gen_k1), exit(A, kill), wait_dead(A), R = supervisor:which_children(P), stop(P), R end},
     {sup_transient_normal, fun() -> P = sup(one_for_one, [kid(t_gen_k1, transient)]), gen_server:call(t_gen_k1, {stop, normal}), timer:sleep(10), R = [{I, C} || {I, C, _, _} <- supervisor:which_children(P)], stop(P), R end},
     {sup_simple, fun() -> P = sup(simple_one_for_one, [#{id => x, start => {gen_server, start_link, [?MODULE]}, restart => temporary}]), {ok, C1} = supervisor:start_child(P, [{server, 1}, []]), {ok, _} = supervisor:start_child(P, [{server, 2}, []]), R = {gen_server:call(C1, get), proplists:get_value(active, supervisor:count_children(P))}, supervisor:terminate_child(P, C1), R2 = proplists:get_value(active, supervisor:count_children(P)), stop(P), {R, R2} end},
     {sup_dynamic, fun() -> P = sup(one_for_one, []), {ok, _} = supervisor:start_child(P, kid(t_gen_k1)), R = [element(1, supervisor:start_child(P, kid(t_gen_k1))), supervisor:terminate_child(P, t_gen_k1), supervisor:delete_child(P, t_gen_k1), supervisor:delete_child(P, t_gen_k1), supervisor:restart_child(P, zz)], stop(P), R end},
     {sup_start_fails, fun() -> process_flag(trap_exit, true), supervisor:start_link(?MODULE, {sup, {ok, {#{}, [#{id => a, start => {gen_server, start_link, [?MODULE, {server, {stop, nope}}, []]}}]}}}) end},
     {sup_bad_spec, fun() -> process_flag(trap_exit, true), [supervisor:start_link(?MODULE, {sup, X}) || X <- [foo, {ok, {#{strategy => bad}, []}}, {ok, {#{}, [bad]}}]] end},
     {sup_shutdown_order, fun() -> register(t_gen_obs, self()), P = sup(one_for_one, [#{id => N, start => {?MODULE, start_child, [N, N]}} || N <- [t_gen_k1, t_gen_k2]]), [begin Q = whereis(N), sys:replace_state(Q, fun(S) -> process_flag(trap_exit, true), S end) end || N <- [t_gen_k1, t_gen_k2]], stop(P), [receive {terminated, W, N} -> {W, N} after 1000 -> none end || _ <- [1, 2]] end},
     {application_env, fun() -> [application:set_env(t_gen_app, k, v), application:get_env(t_gen_app, k), application:get_env(t_gen_app, zz), application:get_env(t_gen_app, zz, d), application:unset_env(t_gen_app, k)] end},
     {application_load, fun() -> App = {application, t_gen_app2, [{description, "d"}, {vsn, "1"}, {modules, []}, {registered, []}, {applications, [kernel, stdlib]}, {env, [{a, 1}]}]}, [application:load(App), application:get_env(t_gen_app2, a), application:start(t_gen_app2), lists:keymember(t_gen_app2, 1, application:which_applications()), application:stop(t_gen_app2), application:unload(t_gen_app2), application:start(no_such_app_x)] end},
     {application_keys, fun() -> {ok, D} = application:get_key(stdlib, description), D end},
     {global_register, fun() -> yes = global:register_name(t_gen_g, self()), R = global:whereis_name(t_gen_g) =:= self(), global:unregister_name(t_gen_g), {R, global:whereis_name(t_gen_g)} end},
     {pg, fun() -> {ok, P} = pg:start_link(t_gen_pg), ok = pg:join(t_gen_pg, grp, self()), R = {pg:get_members(t_gen_pg, grp) =:= [self()], pg:which_groups(t_gen_pg)}, ok = pg:leave(t_gen_pg, grp, self()), unlink(P), exit(P, kill), R end},
     {rpc_local, fun() -> [rpc:call(node(), erlang, abs, [-5]), erpc:call(node(), erlang, abs, [-5]), element(1, rpc:call(node(), erlang, hd, [[]]))] end},
     {timer_server, fun() -> {ok, _} = timer:send_after(1, {hey}), receive M -> M after 1000 -> none end end}].

kill_loop(_, 0, _) -> ok;
kill_loop(N, K, Sup) ->
    case is_process_alive(Sup) of
        false -> ok;
        true ->
            case whereis(N) of
                undefined -> timer:sleep(1), kill_loop(N, K, Sup);
                P -> exit(P, kill), wait_dead(P), kill_loop(N, K - 1, Sup)
            end
    end.
