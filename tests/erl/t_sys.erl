%% System information, memory settings, limits and depth.
-module(t_sys).
-include("diff.hrl").

down(F) -> {P, R} = spawn_monitor(F), receive {'DOWN', R, process, P, W} -> W end.
opt(F, O) -> {P, R} = spawn_opt(F, [monitor | O]), receive {'DOWN', R, process, P, W} -> W end.

len([]) -> 0;
len([_ | T]) -> 1 + len(T).

build(0) -> [];
build(N) -> [N | build(N - 1)].

ack(0, N) -> N + 1;
ack(M, 0) -> ack(M - 1, 1);
ack(M, N) -> ack(M - 1, ack(M, N - 1)).

even(0) -> true;
even(N) -> odd(N - 1).
odd(0) -> false;
odd(N) -> even(N - 1).

tree(0) -> leaf;
tree(N) -> {tree(N - 1), N, tree(N - 1)}.
count(leaf) -> 0;
count({L, _, R}) -> count(L) + 1 + count(R).

garbage(0) -> ok;
garbage(N) -> _ = lists:seq(1, 100), garbage(N - 1).

double(0, X) -> X;
double(N, X) -> double(N - 1, [X | X]).

%% What system_monitor tells of what F does in another process, with these options: kinds, and the keys of what is told.
monitored(Options, F) -> monitored(Options, F, 1).

%% It is told some time later, at least so many times.
monitored(Options, F, Least) ->
    L = spawn_link(fun() -> listener([]) end),
    undefined = erlang:system_monitor(L, Options),
    {P, M} = spawn_monitor(fun() -> receive go -> F() end end),
    P ! go,
    receive {'DOWN', M, _, _, _} -> ok end,
    Told = told(L, P, Least, 200),
    {L, _} = erlang:system_monitor(undefined),
    Told.

told(L, P, Least, Times) ->
    L ! {tell, self()},
    Told = receive {L, All} -> [{Kind, keys(About)} || {monitor, Q, Kind, About} <- All, Q =:= P] end,
    case length(Told) >= Least orelse Times =:= 0 of
        true -> Told;
        false -> receive after 20 -> told(L, P, Least, Times - 1) end
    end.

listener(All) -> receive {tell, To} -> To ! {self(), lists:reverse(All)}, listener(All); X -> listener([X | All]) end.
keys(L) when is_list(L) -> [K || {K, _} <- L];
keys(X) -> X.

monitor_set(Options) ->
    R = c(fun() -> erlang:system_monitor(self(), Options) end),
    S = case erlang:system_monitor() of {P, O} -> {P =:= self(), O}; X -> X end,
    erlang:system_monitor(undefined),
    {case R of {ok, undefined} -> ok; _ -> element(2, R) end, S}.

queued(N) -> [self() ! N || _ <- lists:seq(1, N)], erlang:yield(), [receive N -> ok end || _ <- lists:seq(1, N)], erlang:yield().

%% In which order schedulers would get the processors of some topologies, and how these are shown.
bind_orders() ->
    catch erts_debug:set_internal_state(available_internal_state, true),
    Kinds = [no_spread, thread_spread, processor_spread, spread, no_node_thread_spread, no_node_processor_spread, thread_no_node_processor_spread, default_bind, unbound, foo],
    Set = fun(T) -> cr(fun() -> erlang:system_flag(internal_cpu_topology, T), ok end) end,
    R = [{Set(id(T)), erlang:system_info({cpu_topology, defined}), [cr(fun() -> erts_debug:get_internal_state({fake_scheduler_bindings, K}) end) || K <- Kinds]} || T <- topologies()],
    Set(undefined),
    R.

topologies() ->
    Row = fun(Node, P, Inner, Core, Thread, L) -> {cpu, Node, P, Inner, Core, Thread, L} end,
    [%% Two nodes with two processors each, of three cores with two threads.
     [Row(N, N * 2 + P, -1, C, T, ((N * 2 + P) * 3 + C) * 2 + T) || N <- [0, 1], P <- [0, 1], C <- [0, 1, 2], T <- [0, 1]],
     %% Two processors with three nodes each.
     [Row(-1, P, P * 3 + N, N * 2 + C, T, ((P * 3 + N) * 2 + C) * 2 + T) || P <- [0, 1], N <- [0, 1, 2], C <- [0, 1], T <- [0, 1]],
     %% Both.
     [Row(0, P, -1, C, T, (P * 2 + C) * 2 + T) || P <- [0, 1], C <- [0, 1], T <- [0, 1]] ++ [Row(-1, 2, N, N * 2 - 2 + C, T, (N * 2 + 2 + C) * 2 + T) || N <- [1, 2], C <- [0, 1], T <- [0, 1]],
     %% No nodes, and numbers that are not in order.
     [Row(-1, P, -1, C, T, 31 - (P * 4 + C) * 2 - T) || P <- [1, 0], C <- [3, 1, 0], T <- [1, 0]],
     %% Nodes whose numbers are not in the order of those of processors.
     [Row(1, 0, -1, 0, 0, 0), Row(0, 1, -1, 0, 0, 1), Row(1, 2, -1, 0, 0, 2)],
     [Row(0, 0, -1, 0, 0, 0), Row(0, 0, -1, 0, 0, 1)], [Row(0, 0, -1, 0, 0, 5), Row(0, 0, -1, 1, 0, 5)], [foo]].

%% Schedulers are bound and let go.
bind_schedulers() ->
    Schedulers = erlang:system_info(schedulers),
    Free = {Schedulers, min(Schedulers, erlang:system_info(logical_processors_available))},
    Set = fun(T) -> cr(fun() -> erlang:system_flag(scheduler_bind_type, id(T)) end) end,
    A = [begin X = Set(T), {T, X, erlang:system_info(scheduler_bind_type), bound(T, Free, 500)} end || T <- [unbound, no_spread, default_bind, foo, 1, spread, unbound, thread_spread]],
    %% A program is not.
    Shell = os:cmd("grep Cpus_allowed_list /proc/$$/status") =:= os:cmd("grep Cpus_allowed_list /proc/" ++ os:getpid() ++ "/status"),
    Info = erlang:system_info(update_cpu_info),
    Set(unbound),
    {A, bound(unbound, Free, 500), Shell, Info}.

bound(T, {Schedulers, Most} = Free, N) ->
    B = tuple_to_list(erlang:system_info(scheduler_bindings)),
    Schedulers = length(B),
    Numbers = [X || X <- B, is_integer(X)],
    case length(Numbers) of
        0 when T =:= unbound -> all_free;
        Most when T =/= unbound -> Numbers;
        _ when N > 0 -> timer:sleep(10), bound(T, Free, N - 1);
        _ -> B
    end.

%% Calls in dirty pools wait by the priority of their processes: of low priority one goes for about eight of normal priority.
dirty_priorities() ->
    Old = process_flag(priority, high),
    N = 3 * erlang:system_info(dirty_io_schedulers),
    Start = fun(Priority) -> [spawn_opt(fun() -> dirty_loop(0) end, [link, {priority, Priority}]) || _ <- lists:seq(1, N)] end,
    {Normal, Low} = {Start(normal), Start(low)},
    timer:sleep(3000),
    Count = fun(Ps) -> [P ! {count, self()} || P <- Ps], lists:sum([receive {P, C} -> C end || P <- Ps]) end,
    {A, B} = {Count(Normal), Count(Low)},
    process_flag(priority, Old),
    {B * 2 < A, B * 20 > A}.

dirty_loop(N) ->
    erts_debug:dirty_io(wait, 1),
    receive {count, P} -> P ! {self(), N} after 0 -> dirty_loop(N + 1) end.

cases() ->
    [{allocators, fun() -> [{K, A, shape(erlang:system_info({K, A}))} || K <- [allocator, allocator_sizes], A <- [binary_alloc, eheap_alloc, fix_alloc, mseg_alloc, sys_alloc]] end},
     {allocator_lists, fun() -> [[N || {N, [{instance, 0, _} | _]} <- erlang:system_info({allocator_sizes, L})] || L <- [[binary_alloc], [ets_alloc, driver_alloc]]] end},
     {allocators_wrong, fun() -> [cr(fun() -> erlang:system_info(id(X)) end) || X <- [{allocator, 5}, {allocator, []}, {allocator_sizes, [binary_alloc | x]}]] end},
     {info_items, fun() -> [{I, erlang:system_info(I)} || I <- [wordsize, {wordsize, internal}, {wordsize, external}, otp_release, machine, endian, threads, smp_support, process_limit_x, kernel_poll_x], I =/= process_limit_x, I =/= kernel_poll_x] end},
     {info_types, fun() -> [{I, is_integer(erlang:system_info(I))} || I <- [schedulers, schedulers_online, process_count, process_limit, port_count, port_limit, atom_count, atom_limit, ets_limit, logical_processors_online, thread_pool_size, dirty_cpu_schedulers, dirty_io_schedulers, creation]] end},
     {info_strings, fun() -> [{I, is_list(erlang:system_info(I))} || I <- [version, system_version, system_architecture, driver_version, nif_version]] end},
     {monitor_options, fun() -> [monitor_set(id(O)) || O <- [[], [busy_port], [busy_port, busy_dist_port, {long_gc, 1}, {large_heap, 65535}, {long_schedule, 5}], [{long_gc, 0}], [{long_gc, -1}], [{long_gc, 1 bsl 64}], [{large_heap, 5}], [{long_schedule, 0}], [{long_gc, 5}, {long_gc, 7}], foo, [foo], [busy_port | foo], [{long_gc, a}], [{long_message_queue, {1, 2}}], [{long_message_queue, {2, 2}}], [{long_message_queue, {-1, 2}}]]] end},
     {monitor_who, fun() -> D = spawn(fun() -> ok end), M = monitor(process, D), receive {'DOWN', M, _, _, _} -> ok end, [cr(fun() -> erlang:system_monitor(id(X)) end) || X <- [undefined, {D, [busy_port]}, {foo, [busy_port]}, {self()}, foo, {undefined, []}, {make_ref(), [busy_port]}]] end},
     {monitor_dies, fun() -> {P, M} = spawn_monitor(fun() -> erlang:system_monitor(self(), [busy_port]) end), receive {'DOWN', M, _, P, _} -> ok end, erlang:system_monitor() end},
     {monitor_large_heap, fun() -> lists:usort(monitored([{large_heap, 50000}], fun() -> L = lists:seq(1, 1000000), garbage_collect(), length(L) end)) end},
     {monitor_long_queue, fun() -> case monitor_set([{long_message_queue, {1, 2}}]) of {ok, _} -> monitored([{long_message_queue, {20, 50}}], fun() -> queued(49), queued(50), queued(20), queued(60) end, 4); _ -> none end end},
     {flags_trace_control_word, fun() -> O = erlang:system_flag(trace_control_word, 17), R = erlang:system_info(trace_control_word), erlang:system_flag(trace_control_word, O), {O, R, [c(fun() -> erlang:system_flag(trace_control_word, id(X)) end) || X <- [-1, 1 bsl 32, x]]} end},
     {flags_outstanding_requests, fun() -> O = erlang:system_flag(outstanding_system_requests_limit, 77), R = erlang:system_flag(outstanding_system_requests_limit, O), {is_integer(O), R, [c(fun() -> erlang:system_flag(outstanding_system_requests_limit, id(X)) end) || X <- [0, 1 bsl 27, x]]} end},
     {flags_system_logger, fun() -> L = erlang:system_info(system_logger), erlang:system_flag(system_logger, self()), A = erlang:system_info(system_logger) =:= self(), erlang:system_flag(system_logger, undefined), B = erlang:system_info(system_logger), erlang:system_flag(system_logger, L), {A, B, erlang:system_info(system_logger) =:= L, c(fun() -> erlang:system_flag(system_logger, id(foo)) end)} end},
     {flags_unknown, fun() -> [c(fun() -> erlang:system_flag(id(K), true) end) || K <- [max_ports, erts_alloc, trace, {a}, 1, eager_check_io, port_parallelism]] end},
     {flags_backtrace, fun() -> O = erlang:system_flag(backtrace_depth, 2000), {O, erlang:system_flag(backtrace_depth, O)} end},
     {flags_dirty_online, fun() -> N = erlang:system_info(dirty_cpu_schedulers), O = erlang:system_flag(dirty_cpu_schedulers_online, 1), erlang:system_flag(dirty_cpu_schedulers_online, O), {N =:= O, [c(fun() -> erlang:system_flag(dirty_cpu_schedulers_online, id(X)) end) || X <- [0, 2000, x]]} end},
     {flags_topology, fun() -> O = erlang:system_info(cpu_topology), S = fun(T) -> erlang:system_flag(internal_cpu_topology, T) end, S([{cpu, -1, 0, -1, 1, 0, 0}, {cpu, -1, 0, -1, 0, 0, 1}]), A = erlang:system_info(cpu_topology), D = erlang:system_info({cpu_topology, defined}), S(undefined), {A, D, erlang:system_info(cpu_topology) =:= O, erlang:system_info({cpu_topology, defined}), erlang:system_info({cpu_topology, detected}) =:= O, [c(fun() -> S(X) end) || X <- [foo, [], [foo], [{cpu, 0, 0, 0, 0, 0, 0}, {cpu, 0, 0, 0, 0, 0, 0}]]]} end},
     {bind_orders, fun() -> bind_orders() end},
     {bind_schedulers, fun() -> bind_schedulers() end},
     {dirty_priorities, fun() -> dirty_priorities() end},
     {schedulers_state, fun() -> {S, O, _} = erlang:system_info(schedulers_state), {S =:= erlang:system_info(schedulers), O =:= erlang:system_info(schedulers_online)} end},
     {multi_scheduling_block, fun() -> M = fun(X) -> erlang:system_flag(multi_scheduling, X) end, I = fun() -> erlang:system_info(multi_scheduling) end, A = M(block), B = {I(), erlang:system_info(multi_scheduling_blockers) =:= [self()], erlang:system_info(schedulers_active)}, C = M(unblock), D = {M(block_normal), I(), M(unblock_normal), I()}, {A, B, C, D, c(fun() -> M(id(foo)) end)} end},
     {multi_scheduling_dies, fun() -> S = self(), P = spawn(fun() -> erlang:system_flag(multi_scheduling, block), S ! go, receive x -> ok end end), receive go -> ok end, A = erlang:system_info(multi_scheduling), M = monitor(process, P), exit(P, kill), receive {'DOWN', M, _, _, _} -> ok end, On = fun W() -> case erlang:system_info(multi_scheduling) of enabled -> enabled; _ -> timer:sleep(5), W() end end, {A, On()} end},
     {multi_scheduling_works_on, fun() -> erlang:system_flag(multi_scheduling, block), R = file:read_file_info("."), erlang:system_flag(multi_scheduling, unblock), element(1, R) end},
     {wall_time_counted, fun() -> F = fun(X) -> erlang:system_flag(scheduler_wall_time, X) end, S = self(), On = fun() -> is_list(statistics(scheduler_wall_time)) end, P = spawn(fun() -> S ! F(true), receive x -> ok end end), A = receive X -> X end, B = {F(false), On(), F(true), F(false), On()}, M = monitor(process, P), exit(P, kill), receive {'DOWN', M, _, _, _} -> ok end, Off = fun W() -> case On() of true -> timer:sleep(5), W(); false -> off end end, {A, B, Off()} end},
     {wall_time_rows, fun() -> erlang:system_flag(scheduler_wall_time, true), A = lists:sort(statistics(scheduler_wall_time)), B = lists:sort(statistics(scheduler_wall_time_all)), erlang:system_flag(scheduler_wall_time, false), N = erlang:system_info(schedulers) + erlang:system_info(dirty_cpu_schedulers), [[I || {I, _, _} <- A] =:= lists:seq(1, N), [I || {I, _, _} <- B] =:= lists:seq(1, N + erlang:system_info(dirty_io_schedulers)), lists:all(fun({_, W, T}) -> W =< T end, B)] end},
     {microstates, fun() -> true = is_list(statistics(microstate_accounting)), A = erlang:system_flag(microstate_accounting, true), L = statistics(microstate_accounting), B = erlang:system_flag(microstate_accounting, false), {A, B, [length([x || #{type := T, counters := #{sleep := _, emulator := _}} <- L, T =:= K]) =:= erlang:system_info(I) || {K, I} <- [{scheduler, schedulers}, {dirty_cpu_scheduler, dirty_cpu_schedulers}, {dirty_io_scheduler, dirty_io_schedulers}]], [I || #{type := poll, id := I, counters := #{check_io := _}} <- L], c(fun() -> erlang:system_flag(microstate_accounting, id(foo)) end)} end},
     {statistics_queues, fun() -> N = erlang:system_info(schedulers), [length(statistics(K)) - N || K <- [run_queue_lengths, run_queue_lengths_all, active_tasks, active_tasks_all]] end},
     {info_of_release, fun() -> [case cr(fun() -> erlang:system_info(id(K)) end) of {error, _} = E -> E; _ -> K end || K <- [async_dist, halt_flush_timeout, max_integer, check_io, ethread_info, scheduling_statistics, literal_test, process_flags]] end},
     {process_info_of_release, fun() -> [c(fun() -> process_info(self(), id(K)) end) || K <- [async_dist, label, priority_messages, {dictionary, foo}, {foo, bar}]] end},
     {port_parallelism, fun() -> [begin P = open_port({spawn, "cat"}, O), R = erlang:port_info(P, parallelism), port_close(P), R end || O <- [[], [{parallelism, true}], [{parallelism, false}]]] end},
     {info_gc_defaults, fun() -> [erlang:system_info(I) || I <- [fullsweep_after, min_heap_size, min_bin_vheap_size, max_heap_size, multi_scheduling, thread_pool_size, modified_timing_level, compat_rel]] end},
     {info_time, fun() -> [erlang:system_info(I) || I <- [time_correction, time_warp_mode, os_monotonic_time_source]] =/= [] end},
     {info_bad, fun() -> [c(fun() -> erlang:system_info(id(X)) end) || X <- [foo, 1, {foo, 1}]] end},
     {system_flag_bad, fun() -> [c(fun() -> erlang:system_flag(id(foo), 1) end), c(fun() -> erlang:system_flag(id(fullsweep_after), -1) end)] end},
     {memory_of_processes, fun() -> A = erlang:memory(processes), L = [spawn(fun() -> receive stop -> ok end end) || _ <- lists:seq(1, 2000)], B = erlang:memory(processes), [P ! stop || P <- L], {B - A > 2000 * 500, [K || {K, _} <- erlang:memory([total, ets])]} end},
     {memory_wrong, fun() -> [c(fun() -> erlang:memory(id(X)) end) || X <- [1, [foo]]] end},
     {memory_internal, fun() -> R = make_ref(), Y = erlang:system_info({memory_internal, R, [eheap_alloc]}), N = erts_internal:no_aux_work_threads() - 1, {Y, N > 0, [[] || _ <- lists:seq(1, N), receive {R, _, D} -> is_list(D) end] =:= lists:duplicate(N, []), cr(fun() -> erlang:system_info(id({memory_internal, R, foo})) end), cr(fun() -> erlang:system_info(id({memory_internal, 1, [eheap_alloc]})) end), cr(fun() -> erlang:system_info(id({memory_internal, R, []})) end)} end},
     {memory_relations, fun() -> B = binary:copy(<<1>>, 100000), M = maps:from_list(erlang:memory()), G = fun(K) -> maps:get(K, M) end, [G(total) =:= G(processes) + G(system), G(system) > G(atom) + G(binary) + G(code) + G(ets), G(processes_used) =< G(processes), G(atom_used) =< G(atom), lists:all(fun(V) -> V > 0 end, maps:values(M)) andalso byte_size(B) > 0] end},
     {memory_grows, fun() -> S = self(), D = fun(K, Least, F) -> A = erlang:memory(K), P = spawn(fun() -> X = F(), S ! up, receive go -> S ! {down, X} end end), receive up -> ok end, B = erlang:memory(K), exit(P, kill), {K, B - A > Least} end, [D(binary, 9000000, fun() -> binary:copy(<<0>>, 10000000) end), D(processes, 12000000, fun() -> lists:seq(1, 1000000) end), D(ets, 4000000, fun() -> T = ets:new(x, []), [ets:insert(T, {I, I}) || I <- lists:seq(1, 100000)], T end)] end},
     {memory, fun() -> M = erlang:memory(), {lists:sort([K || {K, _} <- M]), lists:all(fun({_, V}) -> is_integer(V) end, M), erlang:memory(total) > 0, c(fun() -> erlang:memory(id(foo)) end)} end},
     {statistics, fun() -> [is_integer(statistics(run_queue)), tuple_size(statistics(io)), tuple_size(statistics(garbage_collection)), is_integer(statistics(total_run_queue_lengths))] end},
     {gc_self, fun() -> [garbage_collect(), garbage_collect(self()), garbage_collect(self(), [{type, minor}]), garbage_collect(self(), [{type, major}])] end},
     {gc_other, fun() -> P = spawn(fun() -> receive stop -> ok end end), R = garbage_collect(P), P ! stop, M = monitor(process, P), receive {'DOWN', M, _, _, _} -> ok end, {R, garbage_collect(P)} end},
     {gc_async, fun() -> P = spawn(fun() -> receive stop -> ok end end), R = garbage_collect(P, [{async, tag}]), X = receive {garbage_collect, tag, V} -> V after 1000 -> none end, P ! stop, {R, X} end},
     {gc_bad, fun() -> [c(fun() -> garbage_collect(id(x)) end), c(fun() -> garbage_collect(self(), id([foo])) end)] end},
     {gc_keeps_data, fun() -> L = build(1000), T = tree(10), garbage(500), garbage_collect(), garbage(500), {lists:sum(L), count(T)} end},
     {gc_frees, fun() -> _ = length(build(100000)), garbage_collect(), {total_heap_size, N} = process_info(self(), total_heap_size), N < 100000 end},
     {min_heap, fun() -> opt(fun() -> {heap_size, N} = process_info(self(), heap_size), exit(N >= 5000) end, [{min_heap_size, 5000}]) end},
     {max_heap_kill, fun() -> opt(fun() -> process_flag(max_heap_size, #{size => 10000, kill => true, error_logger => false}), exit(length(build(1000000))) end, []) end},
     {max_heap_opt, fun() -> opt(fun() -> exit(length(build(1000000))) end, [{max_heap_size, #{size => 10000, kill => true, error_logger => false}}]) end},
     {max_heap_no_kill, fun() -> opt(fun() -> exit(length(build(100000))) end, [{max_heap_size, #{size => 10000, kill => false, error_logger => false}}]) end},
     {max_heap_trap_ignored, fun() -> opt(fun() -> process_flag(trap_exit, true), exit(length(build(1000000))) end, [{max_heap_size, #{size => 10000, kill => true, error_logger => false}}]) end},
     {max_heap_get, fun() -> opt(fun() -> Old = process_flag(max_heap_size, 12345), exit({Old, process_info(self(), max_heap_size)}) end, []) end},
     {max_heap_bad, fun() -> [c(fun() -> process_flag(max_heap_size, id(X)) end) || X <- [1, a, #{size => -1}, #{size => 100000, kill => x}]] end},
     {fullsweep_0, fun() -> opt(fun() -> L = build(1000), garbage(1000), exit(lists:sum(L)) end, [{fullsweep_after, 0}]) end},
     {deep_body_recursion, fun() -> len(lists:seq(1, 1000000)) end},
     {deep_build, heavy, fun() -> lists:sum(build(1000000)) end},
     {deep_foldr, heavy, fun() -> lists:foldr(fun(X, A) -> X + A end, 0, lists:seq(1, 1000000)) end},
     {tail_recursion, fun() -> even(1000000) end},
     {ackermann, fun() -> ack(2, 300) end},
     {big_tuple, fun() -> T = erlang:make_tuple(1000000, x), tuple_size(setelement(500000, T, y)) end},
     {tuple_limit, fun() -> [cr(fun() -> erlang:make_tuple(id(1 bsl 24), x) end), cr(fun() -> tuple_size(erlang:make_tuple(id((1 bsl 24) - 1), x)) end)] end},
     {tuple_limit_list, heavy, fun() -> cr(fun() -> list_to_tuple(lists:duplicate(1 bsl 24, x)) end) end},
     {wide_tree, heavy, fun() -> count(tree(18)) end},
     {long_lived_with_garbage, heavy, fun() -> T = tree(15), garbage(100000), count(T) end},
     {shared_structure, fun() -> X = double(20, [a]), hd(X) =:= tl(X) end},
     {shared_structure_size, fun() -> erts_debug:size(double(10, [a])) end},
     {flat_size, fun() -> [erts_debug:flat_size(T) || T <- [1, a, [], [1], {1, 2}, "abc", 1.5, 1 bsl 80, <<"abc">>, #{a => 1}, maps:from_list([{I, I} || I <- lists:seq(1, 40)])]] =/= [] end},
     {external_size_big, fun() -> erlang:external_size(lists:seq(1, 100000)) end},
     {heap_growth, fun() -> [length(build(N)) || N <- [10, 100, 1000, 10000, 100000]] end},
     {binary_garbage, fun() -> [byte_size(binary:copy(<<N>>, 100000)) || N <- lists:seq(1, 200)] =:= lists:duplicate(200, 100000) end},
     {sub_binary_garbage, fun() -> B = binary:copy(<<"0123456789">>, 10000), L = [binary:part(B, N, 10) || N <- lists:seq(0, 9000)], garbage_collect(), {length(L), lists:last(L)} end},
     {process_heap_after_hibernate, fun() -> S = self(), P = spawn(fun() -> L = build(10000), S ! {len, length(L)}, erlang:hibernate(erlang, exit, [normal]) end), receive {len, N} -> ok end, timer:sleep(5), R = process_info(P, total_heap_size), exit(P, kill), {N, element(2, R) < 1000} end},
     {atom_limits, fun() -> [cr(fun() -> list_to_atom(lists:duplicate(N, $a)) end) =:= {error, system_limit} || N <- [255, 256, 1000]] end},
     {binary_too_big, fun() -> cr(fun() -> <<0:(id(1 bsl 66))>> end) end},
     {list_dup_small, fun() -> length(lists:duplicate(1000000, x)) end},
     {spawn_limit_info, fun() -> erlang:system_info(process_limit) >= 1000 end},
     {trace_self_bad, fun() -> cr(fun() -> erlang:trace(self(), true, [foo]) end) end},
     {trace_call, fun() -> S = self(), P = spawn(fun() -> receive go -> lists:seq(1, 3), S ! done end end), erlang:trace(P, true, [send, 'receive']), P ! go, receive done -> ok end, R = [receive {trace, P, 'receive', go} -> got_receive after 500 -> none end, receive {trace, P, send, done, S} -> got_send after 500 -> none end], R end},
     {dist_info, fun() -> [erlang:get_cookie(), node(), erlang:system_info(delayed_node_table_gc)] =/= [] end},
     {garbage_in_exception, fun() -> lists:sum([try garbage(10), throw(build(100)) catch L -> length(L) end || _ <- lists:seq(1, 100)]) end},
     {many_args_deep, fun() -> deep8(1, 2, 3, 4, 5, 6, 7, 10000) end},
     {huge_message, heavy, fun() -> S = self(), spawn(fun() -> S ! lists:seq(1, 2000000) end), receive L -> lists:sum(L) end end},
     {huge_exit_reason, fun() -> length(down(fun() -> exit(lists:seq(1, 200000)) end)) end},
     {ets_mem_many, heavy, fun() -> T = ets:new(x, []), [ets:insert(T, {I, lists:seq(1, 10)}) || I <- lists:seq(1, 100000)], ets:info(T, size) end},
     {loop_reductions, fun() -> {reductions, A} = process_info(self(), reductions), garbage(1000), {reductions, B} = process_info(self(), reductions), B > A end},
     {parallel_gc, fun() -> S = self(), Ps = [spawn(fun() -> L = build(5000), garbage(200), S ! {self(), lists:sum(L)} end) || _ <- lists:seq(1, 50)], lists:usort([receive {P, N} -> N end || P <- Ps]) end},
     {init_args, fun() -> [init:get_argument(no_such_flag), is_list(init:get_arguments()), init:get_plain_arguments() =/= x, element(1, init:get_status())] end},
     {script_id, fun() -> tuple_size(init:script_id()) end},
     {erl_flags, fun() -> element(1, init:get_argument(root)) end},
     {display_string, fun() -> erlang:display_string("") end},
     {whereis_system, fun() -> [is_pid(whereis(N)) || N <- [init, kernel_sup, code_server, logger, application_controller, rex, error_logger_x], N =/= rex] end}].

deep8(A, B, C, D, E, F, G, 0) -> A + B + C + D + E + F + G;
deep8(A, B, C, D, E, F, G, N) -> 1 + deep8(B, C, D, E, F, G, A, N - 1).

%% What readers of allocators' statistics look for in the first instance.
shape([{instance, 0, L} | _]) -> [shape_of(X) || X <- L].

shape_of({K, L}) when K =:= mbcs; K =:= sbcs -> {K, lists:sort([element(1, X) || X <- L])};
shape_of(X) -> element(1, X).
