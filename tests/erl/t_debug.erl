%% The emulator's internal state and other parts of erts_debug, and what tests of it have found.
-module(t_debug).
-include("diff.hrl").

state(What) -> erts_debug:get_internal_state(id(What)).
set(What, Value) -> erts_debug:set_internal_state(id(What), id(Value)).

%% Runs F while the internal state is accessible.
with(F) ->
    Old = set(available_internal_state, true),
    try F() after set(available_internal_state, Old) end.

wait_until(F) ->
    case F() of
        true -> ok;
        false -> receive after 5 -> wait_until(F) end
    end.

down(P) -> M = monitor(process, P), receive {'DOWN', M, process, P, R} -> R end.

%% Who asks for news of nodes is told in the order of asking, whatever its pid is.
node_watchers() ->
    Me = self(),
    [A, B] = Ps = [spawn_link(fun() -> asks_for_nodes(Me) end) || _ <- [a, b]],
    Ask = fun(P, Options, On) -> P ! {Options, On}, receive {P, Before} -> Before end end,
    Seen = fun() -> [{case P of A -> a; B -> b end, O} || {P, O} <- state(monitoring_nodes), lists:member(P, Ps)] end,
    R = [Ask(B, [], true), Ask(A, [], true), Ask(B, #{nodedown_reason => true, list => true}, true), Ask(B, [], true), Seen(),
         Ask(B, [], false), Seen(), Ask(A, [], false), Ask(A, [], true), Seen()],
    [begin unlink(P), exit(P, kill), down(P) end || P <- Ps],
    {R, Seen()}.

asks_for_nodes(Who) ->
    receive {Options, On} -> Who ! {self(), process_flag({monitor_nodes, Options}, On)} end,
    asks_for_nodes(Who).

shared(0) -> [];
shared(N) -> L = shared(N - 1), [L | L].

%% A pid of an earlier incarnation of this node.
old_pid() ->
    Whole = term_to_binary(self()),
    binary_to_term(<<(binary:part(Whole, 0, byte_size(Whole) - 4))/binary, 77:32>>).

deep(0) -> [1, 2];
deep(N) -> [[1, 1], deep(N - 1)].

read(T) -> erlang:read_timer(T).

dirty_types() ->
    [erts_debug:dirty_cpu(scheduler, type), erts_debug:dirty_io(scheduler, type)
     | [erts_debug:dirty(P, scheduler, type) || P <- [normal, dirty_cpu, dirty_io]]].

%% Who names a node that nobody else has heard of: this process, one with messages, a table, a persistent term.
nodes_named() ->
    Name = 'named@nowhere',
    Bin = atom_to_binary(Name, utf8),
    Pid = binary_to_term(<<131, 88, 119, (byte_size(Bin)), Bin/binary, 1:32, 2:32, 77:32>>),
    T = ets:new(t, []),
    ets:insert(T, {1, Pid, [Pid]}),
    persistent_term:put({?MODULE, nodes_named}, Pid),
    P = spawn(fun() -> receive stop -> ok end end),
    P ! {Pid, [Pid]},
    %% It has its messages when it has answered.
    {messages, [_]} = process_info(P, messages),
    {{node_references, Nodes}, {dist_references, Names}} = state(node_and_dist_references),
    persistent_term:erase({?MODULE, nodes_named}),
    exit(P, kill),
    Told = fun(Key, Rows) ->
        {Key, N, By} = lists:keyfind(Key, 1, Rows),
        who(N, By, [{self(), me}, {P, other}, {T, table}])
    end,
    {Told({Name, 77}, Nodes), Told(Name, Names), lists:keymember(node(), 1, Names), node(Pid)}.

%% What is garbage counts until it is collected, so this process may have more than is alive.
who(N, By, Known) ->
    Rows = [{Kind, proplists:get_value(Who, Known, Who), lists:sort(Cs)} || {{Kind, Who}, Cs} <- By],
    Sum = lists:sum([K || {_, _, Cs} <- Rows, {_, K} <- Cs]),
    {N =:= Sum, lists:sort([case Row of {process, me, [{heap, K}]} -> {me, K >= 1}; _ -> Row end || Row <- Rows])}.

shifted(B) -> << <<(X + 32)>> || <<X>> <= B >>.

cases() ->
    [{code_mod_permission, fun() ->
          {ok, t_debug_mod, Code} = compile:forms([{attribute, 1, module, t_debug_mod}], [binary]), Self = self(),
          Change = fun(F) -> spawn_link(fun() -> Self ! {self(), began}, Self ! {self(), cr(F)} end) end,
          Late = fun(P) -> receive {P, began} -> ok end, receive {P, _} -> early after 50 -> waits end end,
          with(fun() ->
              Mine = erlang:load_module(t_debug_mod, Code), A = set(code_mod_permission, true),
              Ps = [Change(F) || F <- [fun() -> erlang:delete_module(t_debug_mod) end]], Waits = [Late(P) || P <- Ps],
              B = set(code_mod_permission, false), R = [receive {P, V} -> V end || P <- Ps], true = erlang:purge_module(t_debug_mod),
              {A, Mine, Waits, B, R, cr(fun() -> set(code_mod_permission, other) end)} end) end},
     {sizes, fun() ->
          C = id([a | b]), N = id(42), M = id(#{"atom" => first, i => 0}), F = fun() -> ok end,
          Ts = [[], {}, {[]}, {a, [b, c]}, #{}, #{b => 2}, #{b => 2, txt => "hello world"}, F, fun() -> N end, fun() -> {N, C} end, {F, F}, fun lists:sort/1, make_ref(), atomics:new(1, []), binary_to_term(<<131, 88, 119, 3, "a@b", 17:32, 42:32, 1:32>>), binary_to_term(<<131, 120, 119, 3, "a@b", 1742:64, 1:32>>),
                <<1, 2, 3>>, id(<<0:(8 * 64)>>), id(<<0:(8 * 65)>>), id(<<5:7>>), id(<<0:(8 * 80 + 1)>>), binary:part(id(<<0:(8 * 100)>>), 1, 90), binary:part(id(<<0:(8 * 60)>>), 1, 50), <<>>,
                [C | C], [M, M#{"atom" := other}, M#{i := 42}], 1 bsl 70, 1 bsl 59, 1.5],
          [{erts_debug:flat_size(T), erts_debug:size(T)} || T <- Ts] end},
     {large_map_size, fun() -> M = maps:from_list([{I, I} || I <- lists:seq(1, 4096)]), {erts_debug:size(M) >= 4096 * 2 + 273, [is_list(erts_internal:map_hashmap_children(M)), length(erts_internal:map_hashmap_children(M))]} end},
     {large_map_sizes, fun() -> [begin M = maps:from_list([{I, [I]} || I <- lists:seq(1, N)]), N1 = erts_debug:flat_size(M), N1 =:= erts_debug:size(M) orelse {N, N1, erts_debug:size(M)} end || N <- [33, 99, 239, 3000]] end},
     {nodes_named, fun() -> with(fun nodes_named/0) end},
     {node_watchers, fun() -> with(fun node_watchers/0) end},
     {unique_from, fun() -> with(fun() -> [state(min_unique_integer), state(min_unique_monotonic_integer), erlang:unique_integer() - state(min_unique_integer) < 1 bsl 40] end) end},
     {binary_room, fun() -> with(fun() -> [case state({binary_info, B}) of {refc_binary, S, {binary, R}, _} -> {S, R}; O -> O end || B <- [shifted(<<"ABC">>), shifted(<<>>), shifted(binary:copy(<<"a">>, id(300))), << <<X:7>> || <<X>> <= <<"ABCDE">> >>]] end) end},
     {off_get, fun() -> [c(fun() -> state(X) end) || X <- [next_pid, available_internal_state, {foo, 1}]] end},
     {re_loop_limit, fun() -> with(fun() -> [c(fun() -> set(re_loop_limit, N) end) || N <- [10, -1, a, 1 bsl 64, default, 0, default]] end) end},
     {re_in_parts, fun() -> with(fun() -> set(re_loop_limit, 20), R = [re:run(lists:duplicate(N, $a) ++ "b", "a*(b)") || N <- [1, 100, 3000]], set(re_loop_limit, default), R end) end},
     {memory, fun() -> B = binary:copy(<<1>>, id(1000000)), R = with(fun() -> [{K, is_integer(N), N > 0, abs(N - erlang:memory(K)) < 5000000} || {K, N} <- state(memory)] end), {byte_size(B), R} end},
     {off_set, fun() -> [c(fun() -> set(X, 1) end) || X <- [reds_left, available_internal_state]] end},
     {on_off, fun() -> A = set(available_internal_state, true), B = state(available_internal_state), C = set(available_internal_state, false), {A, B, C, set(available_internal_state, A)} end},
     {unknown, fun() -> with(fun() -> [c(fun() -> state(X) end) || X <- [foo, {foo, 1}, {process_status, x}, {}, 1]] ++ [c(fun() -> set(foo, 1) end)] end) end},
     {status, fun() -> with(fun() -> P = spawn(fun() -> receive x -> ok end end), wait_until(fun() -> state({process_status, P}) =:= waiting end), exit(P, kill), down(P), wait_until(fun() -> state({process_status, P}) =:= undefined end), state({process_status, self()}) end) end},
     {reds_left, fun() -> with(fun() -> set(reds_left, 500), state(reds_left) =< 500 end) end},
     {info_args, fun() -> with(fun() -> L = state(process_info_args), [lists:member(X, L) || X <- [messages, links, status, foo]] end) end},
     {blocked, fun() -> with(fun() -> A = erlang:monotonic_time(millisecond), R = [set(block, 20), set(sleep, 20)], {R, erlang:monotonic_time(millisecond) - A >= 40} end) end},
     {waits, fun() -> with(fun() -> [c(fun() -> set(wait, X) end) || X <- [deallocations, timer_cancellations, aux_work, thread_progress, foo]] end) end},
     {next_pid, fun() -> with(fun() -> N = state(next_pid), P = [begin Q = spawn(fun() -> ok end), down(Q), Q end || _ <- lists:seq(1, 5)], {is_integer(N), length(lists:usort(P))} end) end},
     {loop_limits, fun() -> with(fun() -> B = binary:copy(<<"abcdefgh">>, 500), F = fun() -> {length(binary:matches(B, <<"h">>)), erlang:md5(binary:copy(B, 3)), length(unicode:characters_to_list(B)), binary:match(B, <<"hab">>, [{scope, {3990, 5}}])} end, A = F(), L = [c(fun() -> set(K, V) end) || K <- [binary_loop_limit, unicode_loop_limit], V <- [10, 3]], C = F(), M = [c(fun() -> set(K, V) end) || K <- [binary_loop_limit, unicode_loop_limit], V <- [0, -1, foo, default, default]], {L, M, A =:= C} end) end},
     {next_port, fun() -> with(fun() -> N = state(next_port), M = set(next_port, 1 bsl 32), P = open_port({spawn, "true"}, []), {is_integer(N), P =:= list_to_port("#Port<0." ++ integer_to_list(M) ++ ">"), c(fun() -> set(next_port, foo) end)} end) end},
     {modes_of_builds, fun() -> with(fun() -> {c(fun() -> state(hashmap_collision_bonanza) end), state(force_heap_frags), tuple_size(state(processes_bif_info))} end) end},
     {no_collection, fun() -> with(fun() -> A = set(gc_state, false), B = lists:sum(lists:seq(1, 100000)), C = set(gc_state, true), {A, B, C, garbage_collect()} end) end},
     {collection_put_off, fun() -> with(fun() -> S = self(), P = spawn(fun() -> set(gc_state, false), S ! off, receive on -> S ! on, set(gc_state, true) end, receive x -> ok end end), receive off -> ok end, async = garbage_collect(P, [{async, id}]), A = receive {garbage_collect, id, _} -> early after 100 -> late end, P ! on, receive on -> ok end, receive {garbage_collect, id, R} -> {A, R} end end) end},
     {magic, fun() -> with(fun() -> {R, _} = set(make, magic_ref), {_, _, true} = state({magic_ref, R}), [state({magic_ref, make_ref()}), is_reference(R)] end) end},
     {links, fun() -> with(fun() -> P = spawn_link(fun() -> receive x -> ok end end), L = [{A, B =:= P, C} || {erl_link, A, B, C, _} <- state({link_list, self()}), B =:= P], unlink(P), exit(P, kill), {L, down(P), state({link_list, P})} end) end},
     {monitors, fun() -> with(fun() -> P = spawn(fun() -> receive x -> ok end end), R = monitor(process, P), A = [{T, D, X} || {erl_monitor, T, D, Q, W, X} <- state({monitor_list, self()}), Q =:= R, W =:= P], exit(P, kill), {A, down(P), state({monitor_list, P})} end) end},
     {dirty_types, fun() -> dirty_types() end},
     {dirty_hops, fun() -> [c(fun() -> F() end) || F <- [fun() -> erts_debug:dirty_cpu(reschedule, 101 - 1) end, fun() -> erts_debug:dirty_io(reschedule, 100) end, fun() -> erts_debug:dirty(normal, reschedule, 100) end]] end},
     {dirty_errors, fun() -> [cr(fun() -> erts_debug:dirty_io(error, id(E)) end) || E <- [notsup, undef, badarith, noproc, system_limit, badarg, foo]] end},
     {dirty_tells, fun() -> S = self(), P = spawn(fun() -> erts_debug:dirty_cpu(alive_waitexiting, S) end), receive {alive, P} -> ok end, exit(P, bye), down(P) end},
     {dirty_copies, fun() -> L = erts_debug:dirty_cpu(copy, {a, "b"}), {length(L), lists:usort(L)} end},
     {size_literal, fun() -> [erts_debug:flat_size(id([1, 2])), erts_debug:size_shared(id([1, 2]))] end},
     {size_shared, fun() -> L = shared(id(20)), [erts_debug:flat_size(L), erts_debug:size_shared(L), erts_debug:size_shared(erts_debug:copy_shared(L, false))] end},
     {copy_shared, fun() -> T = {#{id(a) => [1, 2.5, <<1:3>>]}, make_ref(), binary:copy(<<7>>, 100), fun(X) -> X end}, erts_debug:copy_shared(T, true) =:= T end},
     {persistent_sharing, fun() -> L = shared(id(30)), persistent_term:put(?MODULE, {L, L}), {A, B} = persistent_term:get(?MODULE), persistent_term:erase(?MODULE), {A =:= B orelse A, length(A)} end},
     {persistent_many, fun() -> K = fun(I) -> {?MODULE, I} end, [persistent_term:put(K(I), {I}) || I <- lists:seq(1, 3000)], [true = persistent_term:erase(K(I)) || I <- lists:seq(1, 3000), I rem 7 =/= 0], [I || I <- lists:seq(1, 3000), persistent_term:get(K(I), none) =/= none, I rem 7 =/= 0] ++ [lists:all(fun(I) -> persistent_term:get(K(I)) =:= {I} end, lists:seq(7, 3000, 7)), [persistent_term:erase(K(I)) || I <- lists:seq(7, 70, 7)]] end},
     {map_info, fun() -> I = erts_debug:map_info(maps:from_list([{X, X} || X <- lists:seq(1, 500)])), {lists:sort([element(1, T) || T <- I]), lists:keyfind(arrays, 1, I) =/= false, element(2, lists:keyfind(leafs, 1, I)), c(fun() -> erts_debug:map_info(id(#{})) end), c(fun() -> erts_debug:map_info(id(x)) end)} end},
     {timers_end, fun() -> P = spawn(fun() -> receive x -> ok end end), T = [erlang:start_timer(100000, P, x), erlang:send_after(100000, P, x)], A = [is_integer(read(X)) || X <- T], exit(P, kill), down(P), wait_until(fun() -> not is_process_alive(P) end), {A, [read(X) || X <- T], [read(erlang:send_after(100000, P, x))], [erlang:cancel_timer(X) || X <- T]} end},
     {heap_of_hibernated, fun() -> P = spawn(fun() -> erlang:hibernate(erlang, self, []) end), wait_until(fun() -> process_info(P, current_function) =:= {current_function, {erlang, hibernate, 3}} end), [{_, H}, {_, T}] = process_info(P, [heap_size, total_heap_size]), exit(P, kill), {H =< 16, H =:= T} end},
     {heap_with_messages, fun() -> [begin P = spawn_opt(fun() -> receive x -> ok end end, [{message_queue_data, D}]), {_, A} = process_info(P, total_heap_size), [P ! lists:seq(1, 1000) || _ <- lists:seq(1, 20)], {_, B} = process_info(P, total_heap_size), exit(P, kill), B > A + 20000 end || D <- [on_heap, off_heap]] end},
     {own_reductions, fun() -> {_, A} = process_info(self(), reductions), lists:foldl(fun(X, Y) -> X + Y end, 0, lists:seq(1, 500)), {_, B} = process_info(self(), reductions), B - A >= 500 end},
     {statistics_reductions, fun() -> {_, _} = statistics(reductions), lists:all(fun(_) -> {A, _} = statistics(reductions), erlang:yield(), {B, D} = statistics(reductions), B - A =:= D end, lists:seq(1, 20)) end},
     {old_incarnation, fun() -> P = old_pid(), M = monitor(process, P), receive {'DOWN', M, process, P, R} -> R end end},
     {old_incarnation_link, fun() -> process_flag(trap_exit, true), P = old_pid(), link(P), receive {'EXIT', P, R} -> R end end},
     {name_of_dying, fun() -> [begin P = spawn(fun() -> receive x -> ok end end), case catch register(t_debug_name, P) of true -> ok; _ -> O = whereis(t_debug_name), catch unregister(t_debug_name), catch exit(O, kill), true = register(t_debug_name, P) end, exit(P, kill) end || _ <- lists:seq(1, 2000)], done end},
     {years, fun() -> [cr(fun() -> F({{Y, 7, 1}, {12, 0, 0}}) end) || F <- [fun erlang:universaltime_to_localtime/1, fun(X) -> erlang:localtime_to_universaltime(X, false) end, fun erlang:universaltime_to_posixtime/1], Y <- [1599, 1900, 1901, 1902, 1969, 1 bsl 31]] end},
     {append_nothing, fun() -> B = id(<<"123">>), E = id(<<>>), W = <<E/binary, 1, 2, 3>>, [B =:= <<B/binary, E/binary>>, W =:= <<W/binary, E/binary>>, cr(fun() -> <<B/binary, (id(x))/binary>> end)] end},
     {segment_number, fun() -> A = id(some_atom), B = id(<<"abc">>), [c(fun() -> <<1:32, "xyz", B/binary, A/binary>> end), c(fun() -> <<1, 2, 3, A:8>> end)] end},
     {building_costs, fun() -> B = binary:copy(<<0>>, 2000 * 1024), {_, R} = process_info(self(), reductions), X = <<0:8, B/binary>>, {_, S} = process_info(self(), reductions), {byte_size(X), S >= R} end},
     {magic_read_back, fun() -> A = atomics:new(1, []), atomics:put(A, 1, 42), B = binary_to_term(term_to_binary(A)), C = list_to_ref(ref_to_list(A)), {A =:= B, A =:= C, atomics:get(B, 1), atomics:get(C, 1)} end},
     {min_heap_of_large_closure, fun() -> S = self(), L = lists:seq(1, id(2000)), spawn(fun() -> S ! {process_info(self(), min_heap_size), length(L)} end), receive R -> R end end},
     {system_task, fun() -> F = fun(T) -> erts_internal:request_system_task(self(), normal, id(T)) end, {F({system_task_test, x}), receive {system_task_test, x, R} -> R end, [cr(fun() -> F(T) end) || T <- [{foo, x}, {garbage_collect, x}, foo]]} end},
     {integer_too_large, fun() -> [begin B = <<255, 0:(N - 8)>>, case B of <<X:N>> -> X =:= id(X); _ -> nomatch end end || N <- [4194240, 33554432]] end},
     {max_heap_below_min, fun() -> {_, Min} = process_info(self(), min_heap_size), [c(fun() -> process_flag(max_heap_size, id(X)) end) || X <- [Min - 1, #{size => Min - 1}, #{kill => true}, 1 bsl 64]] end},
     {deep_iolist, fun() -> iolist_size(deep(id(100000))) end}].
