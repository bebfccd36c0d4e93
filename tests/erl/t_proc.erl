%% processes
%% Spawning, links, monitors, exits, registration, flags and information.
-module(t_proc).
-export([hello/2, idle/0, hib/1, fail/0, init_it/1, waits_below/2, waits_in_try/1]).
-include("diff.hrl").

hello(To, X) -> To ! {hello, X}.

%% A chain of processes, each of which makes the next one and ends. Whenever all processes are listed one of them is there.
listed_while_some_end() ->
    T = ets:new(t, [public]),
    Idle = [spawn(fun idle/0) || _ <- lists:seq(1, 2000)],
    First = spawn(fun() -> link_of_chain(T, 1) end),
    receive_until(fun() -> ets:member(T, 1) end),
    Lists = [processes() || _ <- lists:seq(1, 50)],
    ets:insert(T, {stop}),
    receive_until(fun() -> ets:member(T, ended) end),
    Chain = maps:from_keys([First | [P || {_, P} <- ets:tab2list(T)]], []),
    [P ! stop || P <- Idle],
    {lists:usort([lists:any(fun(P) -> is_map_key(P, Chain) end, L) || L <- Lists]),
     lists:usort([length(L) =:= length(lists:usort(L)) || L <- Lists]),
     lists:usort([Idle -- L || L <- Lists])}.

link_of_chain(T, N) ->
    ets:insert(T, {N, self()}),
    case ets:member(T, stop) of
        true -> ets:insert(T, {ended});
        false -> spawn(fun() -> link_of_chain(T, N + 1) end)
    end.

receive_until(F) -> case F() of true -> ok; false -> receive after 1 -> receive_until(F) end end.
idle() -> receive stop -> ok end.
wait_until(F) -> case F() of true -> ok; false -> receive after 5 -> wait_until(F) end end.
hib(To) -> receive M -> To ! {woken, M} end.
fail() -> error(deliberate).
%% Ends with a BIF while it has a frame; for most encodings the BIF goes on as Erlang code.
to_list(E, L) ->
    X = id(L),
    unicode:characters_to_list(X, E).

init_it(P) -> proc_lib:init_ack(P, {ok, self()}), idle().

get_msg() -> receive M -> M after 5000 -> nothing end.
no_msg() -> receive M -> M after 30 -> none end.

down(F) ->
    {P, R} = spawn_monitor(F),
    receive {'DOWN', R, process, P, Why} -> Why end.

simple({R, S}) when is_list(S) -> {R, trace(S)};
simple(R) -> R.

%% Traps exits, links to a process that runs F, and says what arrives.
trapped(F) ->
    process_flag(trap_exit, true),
    P = spawn_link(F),
    receive {'EXIT', P, R} -> simple(R) after 5000 -> nothing end.

sync(P) -> _ = process_info(P, status), ok.

dead(P) -> R = monitor(process, P), receive {'DOWN', R, _, _, _} -> ok end.

chain(0, S) -> S ! {ready, self()}, receive after infinity -> ok end;
chain(N, S) -> spawn_link(fun() -> chain(N - 1, S) end), receive after infinity -> ok end.


%% Signals are handled inside of unlink/1 while fresh terms are live.
keep_and_unlink(0, _, Sum) -> Sum;
keep_and_unlink(N, L, Sum) ->
    Fresh = [{X, integer_to_list(X)} || X <- L],
    unlink(self()),
    keep_and_unlink(N - 1, L, Sum + lists:sum([list_to_integer(T) - X + 1 || {X, T} <- Fresh])).

count(N) -> receive x -> count(N + 1) after 100 -> exit(N) end.

collect_until_gone(P, Type) ->
    case erlang:garbage_collect(P, [{type, Type}]) of
        true -> collect_until_gone(P, Type);
        false -> gone
    end.

%% The dictionary against a map: for each phase, how many in a hundred operations put something and how many
%% operations there are.
dict_mixed([], _, _, M) -> [erase(K) || K <- maps:keys(M)], {get(), maps:size(M)};
dict_mixed([{_, 0} | T], Keys, S, M) ->
    garbage_collect(),
    case {lists:sort(get()), lists:sort(get_keys())} =:= {lists:sort(maps:to_list(M)), lists:sort(maps:keys(M))} of
        true -> dict_mixed(T, Keys, S, M);
        false -> {differ, T}
    end;
dict_mixed([{Puts, N} | T], Keys, S0, M) ->
    {I, S1} = rand:uniform_s(Keys, S0),
    {P, S2} = rand:uniform_s(100, S1),
    K = case I rem 3 of 0 -> I; 1 -> {k, I}; 2 -> [I] end,
    Was = maps:get(K, M, undefined),
    case P =< Puts of
        true -> V = {v, N}, Was = put(K, V), dict_mixed([{Puts, N - 1} | T], Keys, S2, M#{K => V});
        false -> Was = erase(K), dict_mixed([{Puts, N - 1} | T], Keys, S2, maps:remove(K, M))
    end.

deep(0) -> 0;
deep(N) -> 1 + deep(N - 1).

%% Flags by which a process asks for messages about nodes.
monitored_nodes() ->
    [{monitor_nodes, On} || On <- [true, true, false, false, x]]
        ++ [{{monitor_nodes, Os}, On} ||
               {Os, On} <- [{[], true}, {[], true}, {[], false}, {[], x}, {[a], true}, {[nodedown_reason], true}, {x, true}, {[{node_type, all}], true},
                            {#{}, true}, {#{}, true}, {#{node_type => visible}, true}, {#{}, false}, {#{}, false},
                            {#{connection_id => true}, true}, {#{connection_id => true}, true}, {#{connection_id => false}, true}, {#{connection_id => true}, false},
                            {#{node_type => all}, true}, {#{node_type => hidden}, true}, {#{node_type => hidden}, true}, {#{node_type => x}, true}, {#{x => x}, true},
                            {#{nodedown_reason => true, node_type => hidden}, true}, {#{nodedown_reason => false, node_type => hidden}, true}, {#{nodedown_reason => x}, true},
                            {#{list => true}, true}, {#{list => true}, true}, {#{list => false}, true}, {#{list => true, node_type => visible}, true}, {[], true}]].

waits_below(X, Y) -> Z = waits_in_try({X, Y}), {X, Z, self()}.
waits_in_try(X) -> R = try receive {a, B} -> B end catch _:_ -> X end, [R, X].

cases() ->
    [{bif_last_goes_on_elsewhere, fun() -> [to_list(E, unicode:characters_to_binary("abc", latin1, E)) || E <- [id(latin1), {utf16, big}, {utf32, little}]] end},
     {hibernated_is_asked, fun() -> P = spawn(fun() -> erlang:hibernate(?MODULE, hib, [self()]) end), timer:sleep(50), [begin _ = process_info(P, reductions), timer:sleep(20), process_info(P, I) end || I <- [current_function, current_stacktrace, status]] end},
     {monitor_no_name, fun() -> [begin R = erlang:monitor(K, W, O), receive {T, R, A, B, C} -> {T, A, B, C} after 1000 -> none end end || K <- [process, port], W <- [no_such_name, {no_such_name, node()}], O <- [[], [{tag, t}], [{alias, demonitor}]]] end},
     {info_of_other_stays_in_its_heap, fun() -> P = spawn(fun() -> receive stop -> ok end end), I = c(fun() -> process_info(P, [{dictionary, {a, id(N)}} || N <- [1, 2, 3]]) end), persistent_term:put(t_proc_erased, {id(1), [2]}), persistent_term:erase(t_proc_erased), timer:sleep(100), S = process_info(P, status), P ! stop, {case I of {ok, L} -> L; E -> {element(1, E), element(2, E)} end, S} end},
     {send_odd_options, fun() -> [c(fun() -> erlang:send(id(A), m, id(O)) end) || A <- [1, t_no_such_name, {a, b}, #{}], O <- [[], a, [a], [noconnect], [noconnect | x]]] end},
     {display_odd, fun() -> [c(fun() -> erts_internal:process_display(id(A), id(B)) end) || A <- [1, t_no_such_name], B <- [backtrace, a, 1]] end},
     {spawn_request_abandon, fun() -> R = erlang:spawn_request(fun() -> ok end), [erlang:spawn_request_abandon(R), receive {spawn_reply, R, S, _} -> S after 1000 -> none end, erlang:spawn_request_abandon(R), erlang:spawn_request_abandon(make_ref()) | [c(fun() -> erlang:spawn_request_abandon(id(X)) end) || X <- [a, 1, <<>>]]] end},
     {spawn_fun, fun() -> S = self(), spawn(fun() -> S ! ok end), get_msg() end},
     {asked_by_many, fun() ->
          [begin
               Self = self(),
               {V, M} = spawn_monitor(fun() -> receive go -> count(0) end end),
               As = [spawn(fun() -> V ! x, Self ! {self(), process_info(V, message_queue_len)} end) || _ <- lists:seq(1, 300)],
               Ok = [receive {A, {message_queue_len, N}} -> N > 0 andalso N =< 300 end || A <- As],
               V ! go,
               {lists:all(fun(B) -> B end, Ok), receive {'DOWN', M, process, V, N} -> N end}
           end || _ <- lists:seq(1, 20)] end},
     {collected_by_others, fun() ->
          Self = self(),
          {Busy, M} = spawn_monitor(fun() -> Self ! {sum, keep_and_unlink(2000, lists:seq(1, 50), 0)} end),
          Others = [spawn(fun() -> collect_until_gone(Busy, T) end) || T <- [major, minor, major]],
          Sum = receive {sum, S} -> S end,
          receive {'DOWN', M, process, Busy, normal} -> ok end,
          [down(O) || O <- Others],
          Sum end},
     {suspended_where_it_stands, fun() ->
          Self = self(),
          P = spawn(fun() -> keep_and_unlink(1000000000, lists:seq(1, 50), 0), Self ! never end),
          R = [begin
                   erlang:suspend_process(P),
                   {reductions, R1} = process_info(P, reductions),
                   erlang:yield(),
                   {reductions, R2} = process_info(P, reductions),
                   erlang:resume_process(P),
                   R2 - R1
               end || _ <- lists:seq(1, 20)],
          exit(P, kill),
          lists:all(fun(D) -> D < 100 end, R) end},
     {spawn_mfa, fun() -> spawn(?MODULE, hello, [self(), 1]), get_msg() end},
     {spawn_node, fun() -> spawn(node(), ?MODULE, hello, [self(), 1]), get_msg() end},
     {spawn_link_mfa, fun() -> spawn_link(?MODULE, hello, [self(), 2]), get_msg() end},
     {spawn_opt, fun() -> S = self(), spawn_opt(fun() -> S ! process_info(self(), [priority, min_heap_size, fullsweep_after]) end, [{priority, high}, {min_heap_size, 1000}, {fullsweep_after, 7}]), {[A, {min_heap_size, B}, _]} = {get_msg()}, {A, B >= 1000} end},
     {spawn_opt_monitor, fun() -> {P, R} = spawn_opt(fun() -> exit(bye) end, [monitor]), receive {'DOWN', R, process, P, W} -> W end end},
     {spawn_opt_monitor_tag, fun() -> {_, R} = spawn_opt(fun() -> exit(bye) end, [{monitor, [{tag, my_tag}]}]), receive {my_tag, R, process, _, W} -> W end end},
     {spawn_opt_link_monitor, fun() -> process_flag(trap_exit, true), {P, R} = spawn_opt(fun() -> exit(bye) end, [link, monitor]), A = receive {'DOWN', R, process, P, W} -> W end, B = receive {'EXIT', P, W2} -> W2 end, {A, B} end},
     {spawn_bad, fun() -> [c(fun() -> spawn(id(X)) end) || X <- [a, fun lists:map/2, 1]] ++ [c(fun() -> spawn(id(1), f, []) end), c(fun() -> spawn(m, f, id(x)) end), c(fun() -> spawn(m, f, id([1 | 2])) end), c(fun() -> spawn_opt(fun() -> ok end, id([foo])) end), c(fun() -> spawn_opt(fun() -> ok end, id([{priority, foo}])) end), c(fun() -> spawn_opt(fun() -> ok end, id(x)) end)] end},
     {spawn_undef, fun() -> simple(down(fun() -> apply(nomod_x, f, [1]) end)) end},
     {spawn_undef_mfa, fun() -> {P, R} = spawn_monitor(nomod_x, f, [1]), receive {'DOWN', R, process, P, W} -> W end end},
     {spawn_request_bad_options, fun() ->
          F = fun() -> ok end,
          [case cr(fun() -> spawn_request(F, O) end) of
               {ok, R} -> receive {T, R, error, E} -> {T, E} after 0 -> nothing end;
               E -> E
           end || O <- [[x], [monitors, {reply_tag, t}], [{reply_tag, t}, monitors], x, [link | x], [{reply, no}, x], [{reply, error_only}, x], [{reply, success_only}, x],
                        [{reply, x}], [{priority, x}, {reply_tag, {a, "b"}}], [{monitor, [x]}], [{min_heap_size, a}], [{scheduler, a}], [{scheduler, 100000}]]] end},
     {spawn_request, fun() -> R = spawn_request(?MODULE, idle, [], [{reply_tag, tg}]), receive {tg, R, ok, P} -> P ! stop, is_pid(P) end end},
     {spawn_request_no_reply, fun() -> S = self(), spawn_request(fun() -> S ! here end, [{reply, error_only}]), [get_msg(), no_msg()] end},
     {spawn_monitor_normal, fun() -> down(fun() -> ok end) end},
     {down_reasons, fun() -> [down(fun() -> exit(R) end) || R <- [normal, kill, shutdown, {a, b}, "str"]] end},
     {down_error, fun() -> simple(down(fun() -> fail() end)) end},
     {down_throw, fun() -> simple(down(fun() -> throw(x) end)) end},
     {down_noproc, fun() -> P = spawn(fun() -> ok end), dead(P), R = monitor(process, P), receive {'DOWN', R, process, P, W} -> W end end},
     {monitor_name, fun() -> R = monitor(process, no_such_registered), receive {'DOWN', R, process, O, W} -> {O, W} end end},
     {monitor_registered, fun() -> P = spawn(fun idle/0), register(t_proc_m, P), R = monitor(process, t_proc_m), P ! stop, receive {'DOWN', R, process, O, W} -> {O, W} end end},
     {monitor_bad, fun() -> [c(fun() -> monitor(id(foo), self()) end), c(fun() -> monitor(process, id(1)) end), c(fun() -> monitor(process, self(), id([foo])) end)] end},
     {monitor_self, fun() -> R = monitor(process, self()), [is_reference(R), demonitor(R)] end},
     {monitor_tag, fun() -> P = spawn(fun idle/0), R = monitor(process, P, [{tag, {t, 1}}]), P ! stop, receive {{t, 1}, R, process, P, W} -> W end end},
     {demonitor, fun() -> P = spawn(fun idle/0), R = monitor(process, P), demonitor(R), P ! stop, dead(P), no_msg() end},
     {demonitor_flush, fun() -> P = spawn(fun idle/0), R = monitor(process, P), P ! stop, dead(P), [demonitor(R, [flush]), no_msg()] end},
     {demonitor_info, fun() -> P = spawn(fun idle/0), R = monitor(process, P), [demonitor(R, [info]), demonitor(R, [info]), demonitor(R, [flush, info])] end},
     {demonitor_bad, fun() -> [c(fun() -> demonitor(id(x)) end), c(fun() -> demonitor(make_ref(), id([foo])) end), demonitor(make_ref())] end},
     {many_monitors, fun() -> P = spawn(fun idle/0), Rs = [monitor(process, P) || _ <- lists:seq(1, 100)], P ! stop, length([receive {'DOWN', R, _, _, normal} -> ok end || R <- Rs]) end},
     {time_offset_monitor, fun() -> R = erlang:monitor(time_offset, clock_service), [is_reference(R), demonitor(R)] end},
     {link_normal, fun() -> trapped(fun() -> ok end) end},
     {link_reasons, fun() -> [trapped(fun() -> exit(R) end) || R <- [normal, shutdown, {x}, kill, killed]] end},
     {link_error, fun() -> trapped(fun() -> error(bad) end) end},
     {link_throw, fun() -> trapped(fun() -> throw(bad) end) end},
     {link_kills, fun() -> down(fun() -> spawn_link(fun() -> exit(crash) end), receive after 5000 -> ok end end) end},
     {link_normal_does_not_kill, fun() -> down(fun() -> P = spawn_link(fun() -> ok end), dead(P), exit(still_here) end) end},
     {link_dead_trap, fun() -> process_flag(trap_exit, true), P = spawn(fun() -> ok end), dead(P), link(P), get_msg_exit() end},
     {link_dead_no_trap, fun() -> P = spawn(fun() -> ok end), dead(P), down(fun() -> link(P), receive after 1000 -> alive end end) end},
     {link_self, fun() -> [link(self()), unlink(self())] end},
     {link_bad, fun() -> [c(fun() -> link(id(x)) end), c(fun() -> unlink(id(1)) end)] end},
     {unlink, fun() -> P = spawn_link(fun idle/0), true = unlink(P), exit(P, foo), dead(P), no_msg() end},
     {unlink_after_exit, fun() -> process_flag(trap_exit, true), P = spawn_link(fun() -> exit(x) end), dead(P), unlink(P), R = receive {'EXIT', P, _} -> had after 0 -> none end, lists:member(R, [had, none]) end},
     {link_both_ways, fun() -> process_flag(trap_exit, true), P = spawn(fun idle/0), link(P), link(P), {links, L} = process_info(self(), links), P ! stop, receive {'EXIT', P, R} -> {length([X || X <- L, X =:= P]), R, no_msg()} end end},
     {chain_death, fun() -> S = self(), P = spawn(fun() -> chain(50, S) end), receive {ready, L} -> ok end, R = monitor(process, P), exit(L, boom), receive {'DOWN', R, _, _, W} -> W end end},
     {exit2_normal, fun() -> P = spawn(fun idle/0), exit(P, normal), sync(P), A = is_process_alive(P), P ! stop, A end},
     {exit2_reason, fun() -> P = spawn(fun idle/0), R = monitor(process, P), true = exit(P, foo), receive {'DOWN', R, _, _, W} -> W end end},
     {exit2_kill, fun() -> P = spawn(fun() -> process_flag(trap_exit, true), idle() end), R = monitor(process, P), exit(P, kill), receive {'DOWN', R, _, _, W} -> W end end},
     {exit2_trapped, fun() -> S = self(), P = spawn(fun() -> process_flag(trap_exit, true), S ! ready, receive M -> S ! {got, setelement(2, M, pid)} end end), receive ready -> ok end, exit(P, foo), get_msg() end},
     {exit2_trapped_normal, fun() -> S = self(), P = spawn(fun() -> process_flag(trap_exit, true), S ! ready, receive M -> S ! {got, setelement(2, M, pid)} end end), receive ready -> ok end, exit(P, normal), get_msg() end},
     {exit2_self_normal, fun() -> down(fun() -> exit(self(), normal), exit(still) end) end},
     {exit2_self_reason, fun() -> down(fun() -> exit(self(), foo), exit(still) end) end},
     {exit2_self_kill, fun() -> down(fun() -> process_flag(trap_exit, true), exit(self(), kill), exit(still) end) end},
     {exit2_self_trapping, fun() -> down(fun() -> process_flag(trap_exit, true), exit(self(), foo), receive {'EXIT', _, R} -> exit({got, R}) end end) end},
     {exit2_bad, fun() -> [c(fun() -> exit(id(x), foo) end), c(fun() -> exit(id(1), foo) end)] end},
     {exit2_dead, fun() -> P = spawn(fun() -> ok end), dead(P), exit(P, kill) end},
     {kill_is_killed_for_links, fun() -> process_flag(trap_exit, true), P = spawn_link(fun idle/0), exit(P, kill), receive {'EXIT', P, R} -> R end end},
     {exit_kill_reason_by_itself, fun() -> process_flag(trap_exit, true), P = spawn_link(fun() -> exit(kill) end), receive {'EXIT', P, R} -> R end end},
     {register, fun() -> P = spawn(fun idle/0), true = register(t_proc_a, P), R = {whereis(t_proc_a) =:= P, process_info(P, registered_name), lists:member(t_proc_a, registered())}, P ! stop, R end},
     {register_gone_after_death, fun() -> P = spawn(fun idle/0), register(t_proc_b, P), P ! stop, dead(P), {whereis(t_proc_b), cr(fun() -> unregister(t_proc_b) end)} end},
     {register_bad, fun() -> P = spawn(fun idle/0), register(t_proc_c, P), R = [c2(fun() -> register(t_proc_c, self()) end), c2(fun() -> register(t_proc_d, P) end), c2(fun() -> register(undefined, self()) end), c2(fun() -> register(id(1), self()) end), c2(fun() -> register(t_proc_e, id(x)) end), c2(fun() -> unregister(id(t_proc_zz)) end), c2(fun() -> whereis(id(1)) end)], P ! stop, R end},
     {unregister, fun() -> register(t_proc_f, self()), unregister(t_proc_f), whereis(t_proc_f) end},
     {alive, fun() -> P = spawn(fun idle/0), A = is_process_alive(P), P ! stop, dead(P), [A, is_process_alive(P), is_process_alive(self()), c(fun() -> is_process_alive(id(x)) end)] end},
     {dict, fun() -> [put(a, 1), put(a, 2), get(a), get(b), erase(a), erase(a), get(a)] end},
     {dict_mixed, fun() -> erase(), dict_mixed([{90, 5000}, {10, 5000}, {95, 300}, {0, 500}, {60, 8000}, {20, 9000}], 600, rand:seed_s(exsss, 7), #{}) end},
     {dict_all, fun() -> erase(), [put(K, K * K) || K <- lists:seq(1, 20)], A = lists:sort(get()), B = lists:sort(get_keys()), C = get_keys(4), D = lists:sort(erase()), {A =:= D, B, C, get()} end},
     {dict_many, fun() -> erase(), [put({k, I}, I) || I <- lists:seq(1, 2000)], [erase({k, I}) || I <- lists:seq(1, 2000, 2)], {length(get()), lists:sum([V || {{k, _}, V} <- get()]), get({k, 1}), get({k, 2})} end},
     {dict_not_shared, fun() -> put(x, 1), S = self(), spawn(fun() -> S ! {r, get(x)} end), receive {r, V} -> V end end},
     {dict_of_other, fun() -> S = self(), P = spawn(fun() -> put(k, v), S ! go, idle() end), receive go -> ok end, R = process_info(P, dictionary), P ! stop, {dictionary, L} = R, lists:keyfind(k, 1, L) end},
     {flags, fun() -> [process_flag(trap_exit, true), process_flag(trap_exit, false), process_flag(priority, high), process_flag(priority, normal), process_flag(min_heap_size, 500), process_flag(fullsweep_after, 10), process_flag(sensitive, true), process_flag(sensitive, false), process_flag(save_calls, 0)] end},
     {returns_cost_reductions, fun() -> {reductions, A} = process_info(self(), reductions), N = deep(100000), {reductions, B} = process_info(self(), reductions), {N, B - A > 90000} end},
     {fullsweep_of_16_bits, fun() -> R = [begin process_flag(fullsweep_after, id(N)), process_info(self(), fullsweep_after) end || N <- [65535, 65536, 65537, 1 bsl 31, (1 bsl 59) - 1]], process_flag(fullsweep_after, 65535), R end},
     {sensitive, fun() ->
         put(foo, bar), self() ! hi, process_flag(save_calls, 5), process_flag(sensitive, true),
         lists:map(fun(X) -> X end, id([1])),
         A = [process_info(self(), I) || I <- [dictionary, messages, backtrace, message_queue_len]],
         process_flag(save_calls, 0), process_flag(sensitive, false),
         B = [process_info(self(), I) || I <- [dictionary, messages]],
         erase(foo), receive hi -> ok end,
         {A, B} end},
     {sensitive_other, fun() ->
         S = self(),
         P = spawn(fun() -> put(foo, bar), process_flag(sensitive, true), S ! go, receive stop -> ok end end),
         receive go -> ok end, P ! m,
         R = [process_info(P, I) || I <- [dictionary, messages, message_queue_len, backtrace]],
         exit(P, kill), R end},
     {backtrace, fun() ->
         [begin
              P = spawn(?MODULE, F, A),
              wait_until(fun() -> process_info(P, status) =:= {status, waiting} end),
              {backtrace, B} = process_info(P, backtrace),
              exit(P, kill),
              re:replace(B, "0x[0-9a-f]+|[+] [0-9]+", "", [global, {return, list}])
          end || {F, A} <- [{waits_below, [[1, 2, "abc"], <<"abc">>]}, {idle, []}]] end},
     {fullsweep_spawned, fun() -> {P, M} = spawn_opt(fun() -> exit(process_info(self(), fullsweep_after)) end, [monitor, {fullsweep_after, id(70000)}]), receive {'DOWN', M, _, P, R} -> R end end},
     {monitor_nodes, fun() -> [begin R = c(fun() -> process_flag(id(F), id(On)) end), {F, On, R} end || {F, On} <- monitored_nodes()] end},
     {monitor_nodes_kernel, fun() -> [{On, Os, c(fun() -> net_kernel:monitor_nodes(id(On), id(Os)) end)} || {On, Os} <- [{true, []}, {true, [nodedown_reason]}, {false, [nodedown_reason]}, {false, []}, {true, [x]}, {x, []}, {true, #{}}, {true, #{a => b}}, {true, [{node_type, all}, {node_type, hidden}]}, {true, #{connection_id => true, node_type => hidden}}, {false, #{connection_id => x}}]] end},
     {flags_bad, fun() -> [c(fun() -> process_flag(id(F), id(V)) end) || {F, V} <- [{trap_exit, 1}, {foo, 1}, {priority, foo}, {min_heap_size, -1}, {fullsweep_after, a}, {fullsweep_after, 1 bsl 59}, {max_heap_size, -1}, {message_queue_data, x}]] end},
     {info_basic, fun() -> {[process_info(self(), I) || I <- [trap_exit, priority, status, registered_name, message_queue_len, message_queue_data, error_handler, suspending, catchlevel_missing], I =/= catchlevel_missing], process_info(self(), registered_name)} end},
     {info_list, fun() -> process_info(self(), [trap_exit, status, message_queue_len, registered_name]) end},
     {info_types, fun() -> [begin {I, V} = process_info(self(), I), {I, is_integer(V)} end || I <- [heap_size, total_heap_size, stack_size, reductions, memory]] end},
     {info_current, fun() -> {current_function, F} = process_info(self(), current_function), {current_location, {M, Fn, A, L}} = process_info(self(), current_location), {F, M, Fn, A, lists:keyfind(file, 1, L)} end},
     {info_current_other, fun() -> P = spawn(fun idle/0), wait(P), R = process_info(P, [current_function, status, initial_call]), P ! stop, setelement(1, list_to_tuple(R), hd(R)) end},
     {info_stacktrace, fun() -> P = spawn(?MODULE, idle, []), wait(P), {current_stacktrace, S} = process_info(P, current_stacktrace), P ! stop, [{M, F, A} || {M, F, A, _} <- S] end},
     {info_initial_call, fun() -> P = spawn(?MODULE, idle, []), R = process_info(P, initial_call), P ! stop, R end},
     {info_links_monitors, fun() -> P = spawn(fun idle/0), link(P), M = monitor(process, P), {links, L} = process_info(self(), links), {monitors, Ms} = process_info(self(), monitors), {monitored_by, By} = process_info(P, monitored_by), unlink(P), demonitor(M), P ! stop, {lists:member(P, L), Ms =:= [{process, P}], By =:= [self()]} end},
     {info_group_leader, fun() -> {group_leader, G} = process_info(self(), group_leader), G =:= group_leader() end},
     {info_dead, fun() -> P = spawn(fun() -> ok end), dead(P), [process_info(P), process_info(P, status), process_info(P, [status])] end},
     {info_bad, fun() -> [c(fun() -> process_info(id(x)) end), c(fun() -> process_info(self(), id(foo)) end), c(fun() -> process_info(self(), id([status | x])) end), c(fun() -> process_info(self(), id(1)) end)] end},
     {info_default_keys, fun() -> [K || {K, _} <- process_info(self())] end},
     {info_gc, fun() -> {garbage_collection, L} = process_info(self(), garbage_collection), lists:sort([K || {K, _} <- L]) end},
     {info_parent, fun() -> case erlang:system_info(otp_release) of "25" -> old; _ -> S = self(), P = spawn(fun idle/0), R = process_info(P, parent) =:= {parent, S}, P ! stop, R end end},
     {label, fun() -> case erlang:system_info(otp_release) of "25" -> old; _ -> proc_lib:set_label(my_label), [proc_lib:get_label(self()), process_info(self(), label)] end end},
     {group_leader, fun() -> G = group_leader(), S = self(), P = spawn(fun idle/0), group_leader(S, P), {group_leader, X} = process_info(P, group_leader), P ! stop, {X =:= S, G =:= group_leader()} end},
     {group_leader_inherited, fun() -> S = self(), group_leader(S, S), spawn(fun() -> S ! {gl, group_leader()} end), receive {gl, X} -> X =:= S end end},
     {group_leader_bad, fun() -> [c(fun() -> group_leader(id(x), self()) end), c(fun() -> group_leader(self(), id(x)) end)] end},
     {processes_while_some_end, fun listed_while_some_end/0},
     {processes, fun() -> P = spawn(fun idle/0), R = {lists:member(P, processes()), lists:member(self(), processes())}, P ! stop, R end},
     {hibernate, fun() -> S = self(), P = spawn(fun() -> erlang:hibernate(?MODULE, hib, [S]) end), P ! wake, get_msg() end},
     {hibernate_pending, fun() -> S = self(), P = spawn(fun() -> receive go -> ok end, erlang:hibernate(?MODULE, hib, [S]) end), P ! go, P ! wake, get_msg() end},
     {hibernate_info, fun() -> S = self(), P = spawn(fun() -> erlang:hibernate(?MODULE, hib, [S]) end), wait_cf(P), R = process_info(P, current_function), P ! wake, {R, get_msg()} end},
     {hibernate_bad, fun() -> [c(fun() -> erlang:hibernate(id(1), f, []) end), c(fun() -> erlang:hibernate(m, f, id(x)) end)] end},
     {suspend, fun() -> S = self(), P = spawn(fun() -> loop(S) end), receive tick -> ok end, erlang:suspend_process(P), R = process_info(P, status), erlang:resume_process(P), exit(P, kill), R end},
     {suspend_counts, fun() -> P = spawn(fun idle/0), erlang:suspend_process(P), erlang:suspend_process(P), erlang:resume_process(P), A = process_info(P, status), erlang:resume_process(P), B = process_info(P, status), P ! stop, {A, element(2, B) =:= suspended, c2(fun() -> erlang:resume_process(P) end)} end},
     {suspend_bad, fun() -> [c2(fun() -> erlang:suspend_process(self()) end), c2(fun() -> erlang:suspend_process(id(x)) end)] end},
     {alias, fun() -> A = alias(), A ! hello, R = get_msg(), true = unalias(A), A ! gone, {R, no_msg(), unalias(A)} end},
     {alias_reply, fun() -> A = alias([reply]), A ! one, A ! two, {get_msg(), no_msg()} end},
     {priority_options, fun() -> [case catch F() of X when is_reference(X) -> reference; {'EXIT', {R, _}} -> R; X -> X end || F <- [fun() -> alias([priority]) end, fun() -> erlang:send(self(), x, [priority]) end, fun() -> erlang:monitor(process, self(), [priority]) end]] end},
     {alias_explicit, fun() -> A = alias([explicit_unalias]), A ! one, A ! two, R = [get_msg(), get_msg()], unalias(A), A ! three, {R, no_msg()} end},
     {alias_monitor, fun() -> P = spawn(fun() -> receive {req, Al} -> Al ! reply, Al ! late end end), R = monitor(process, P, [{alias, reply_demonitor}]), P ! {req, R}, {get_msg(), no_msg()} end},
     {alias_monitor_demonitor, fun() -> P = spawn(fun idle/0), R = monitor(process, P, [{alias, demonitor}]), demonitor(R), R ! x, N = no_msg(), P ! stop, N end},
     {alias_bad, fun() -> [c(fun() -> alias(id([foo])) end), c(fun() -> unalias(id(x)) end), unalias(make_ref())] end},
     {yield, fun() -> [erlang:yield(), erlang:bump_reductions(100)] end},
     {many, fun() -> S = self(), Ps = [spawn(fun() -> receive {add, N} -> S ! {r, N * 2} end end) || _ <- lists:seq(1, 10000)], [P ! {add, 1} || P <- Ps], lists:sum([receive {r, X} -> X end || _ <- Ps]) end},
     {many_100k, heavy, fun() -> S = self(), Ps = [spawn(fun() -> receive go -> S ! done end end) || _ <- lists:seq(1, 100000)], [P ! go || P <- Ps], length([receive done -> ok end || _ <- Ps]) end},
     {storm, fun() -> storm(5000, 0) end},
     {tree, fun() -> tree(12) end},
     {busy_fairness, fun() -> S = self(), B = [spawn(fun() -> spin(0) end) || _ <- lists:seq(1, 4)], spawn(fun() -> S ! alive end), R = get_msg(), [exit(P, kill) || P <- B], R end},
     {answers_under_load, heavy, fun() ->
          process_flag(priority, max),
          Ps = [spawn(fun idle/0) || _ <- lists:seq(1, 10)],
          Hs = [spawn_opt(fun() -> spin(0) end, [{priority, high}]) || _ <- lists:seq(1, 2 * erlang:system_info(schedulers))],
          receive after 100 -> ok end,
          R = [{is_process_alive(P), element(1, process_info(P, group_leader)), erlang:garbage_collect(P), exit(P, kill), is_process_alive(P)} || P <- Ps],
          [exit(H, kill) || H <- Hs],
          R end},
     {priority_runs, fun() -> S = self(), [spawn_opt(fun() -> S ! {done, Pr} end, [{priority, Pr}]) || Pr <- [low, normal, high, max]], lists:sort([receive {done, X} -> X end || _ <- [1, 2, 3, 4]]) end},
     {exit_during_receive, fun() -> P = spawn(fun() -> receive after 100000 -> ok end end), R = monitor(process, P), wait(P), exit(P, out), receive {'DOWN', R, _, _, W} -> W end end},
     {exit_running, fun() -> P = spawn(fun() -> spin(0) end), R = monitor(process, P), exit(P, out), receive {'DOWN', R, _, _, W} -> W end end},
     {signal_order, fun() -> S = self(), P = spawn(fun() -> process_flag(trap_exit, true), S ! up, A = get_msg(), B = get_msg(), C = get_msg(), S ! [x(A), x(B), x(C)] end), receive up -> ok end, P ! one, exit(P, two), P ! three, get_msg() end},
     {exit_message_order, fun() -> S = self(), {P, R} = spawn_monitor(fun() -> S ! a, S ! b, exit(c) end), X = get_msg(), Y = get_msg(), {'DOWN', R, process, P, Z} = get_msg(), {X, Y, Z} end},
     {proc_lib_start, fun() -> {ok, P} = proc_lib:start_link(?MODULE, init_it, [self()]), R = proc_lib:initial_call(P), P ! stop, R end},
     {proc_lib_crash, fun() -> process_flag(trap_exit, true), P = proc_lib:spawn_link(fun() -> exit(oops) end), receive {'EXIT', P, R} -> R end end},
     {node, fun() -> [node(), node(self()), node(make_ref()), nodes(), is_alive(), c(fun() -> node(id(x)) end)] end},
     {halt_bad, fun() -> [c(fun() -> halt(id(-1)) end), c(fun() -> halt(id(x)) end), c(fun() -> halt(0, id([x])) end)] end},
     {exit_reason_big, fun() -> length(down(fun() -> exit(lists:seq(1, 10000)) end)) end},
     {monitor_after_kill_chain, fun() -> A = spawn(fun idle/0), B = spawn(fun() -> link(A), receive after infinity -> ok end end), wait(B), RB = monitor(process, B), exit(A, kill), receive {'DOWN', RB, _, _, W} -> W end end},
     {process_flag_other, fun() -> P = spawn(fun idle/0), R = [process_flag(P, save_calls, 10), cr(fun() -> process_flag(P, trap_exit, true) end)], P ! stop, R end}].

c2(F) -> cr(F).

x({'EXIT', _, R}) -> {exit, R};
x(M) -> M.

get_msg_exit() -> receive {'EXIT', _, R} -> R after 5000 -> nothing end.

wait(P) -> case process_info(P, status) of {status, waiting} -> ok; _ -> erlang:yield(), wait(P) end.
wait_cf(P) -> case process_info(P, current_function) of {current_function, {erlang, hibernate, 3}} -> ok; _ -> erlang:yield(), wait_cf(P) end.

loop(S) -> S ! tick, loop2().
loop2() -> erlang:yield(), loop2().
spin(N) -> spin(N + 1).

storm(0, A) -> A;
storm(N, A) -> S = self(), spawn(fun() -> S ! N end), receive N -> storm(N - 1, A + N) end.

tree(0) -> 1;
tree(N) ->
    S = self(),
    P = [spawn_link(fun() -> S ! {self(), tree(N - 1)} end) || _ <- [1, 2]],
    lists:sum([receive {X, V} -> V end || X <- P]).
