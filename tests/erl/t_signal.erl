%% signals
%% Signals to processes in dirty calls, links that cross, suspension, the stack as a part of the heap.
-module(t_signal).
-include("diff.hrl").

%% A process in a dirty call that ends when the process does.
dirty() -> dirty(fun() -> ok end).
dirty(Before) ->
    S = self(),
    P = spawn(fun() -> Before(), erts_debug:dirty_io(alive_waitexiting, S) end),
    receive {alive, P} -> P end.

with_dirty(F) ->
    P = dirty(),
    R = F(P),
    kill(P),
    R.

kill(P) ->
    M = monitor(process, P),
    exit(P, kill),
    receive {'DOWN', M, process, P, Why} -> Why end.

flush() -> receive M -> [M | flush()] after 0 -> [] end.
next() -> receive M -> M after 5000 -> nothing end.

worker() -> receive {do, F, S} -> S ! {self(), F()}, worker(); stop -> ok; _ -> worker() end.
do(P, F) -> P ! {do, F, self()}, receive {P, R} -> R end.
echo(S) -> receive X -> S ! {got, X}, echo(S) end.
links(P) -> {links, L} = process_info(P, links), L.

%% Two processes link and unlink each other at will; afterwards both know the same.
crossing(0) -> 0;
crossing(N) ->
    S = self(),
    [A, B] = [spawn(fun worker/0) || _ <- [a, b]],
    A ! {do, changes(B, N), S},
    B ! {do, changes(A, N * 7), S},
    [receive {P, _} -> ok end || P <- [A, B]],
    [do(P, fun() -> ok end) || P <- [A, B, A, B, A, B]],
    Same = lists:member(B, links(A)) =:= lists:member(A, links(B)),
    [P ! stop || P <- [A, B]],
    crossing(N - 1) + case Same of true -> 0; false -> 1 end.

changes(P, Seed) ->
    fun() ->
        [case ((Seed * I * 2654435761) bsr 7) band 1 of 0 -> link(P); 1 -> unlink(P) end || I <- lists:seq(1, 6)]
    end.

rec(0) -> 0;
rec(N) -> 1 + rec(N - 1).

rec_garbage(0) -> [];
rec_garbage(N) -> L = lists:seq(1, 20), [length(L) | rec_garbage(N - 1)].

deep(0, S) -> S ! here, receive stop -> ok end;
deep(N, S) -> [deep(N - 1, S) | N].

%% Monitors a process again and again.
%% Is a process that is said to be dead still told as one that monitors, though it has demonitored before its end?
dead_but_monitors() ->
    S = self(),
    {P, M} = spawn_monitor(fun() -> R = monitor(process, S), S ! {self(), ready}, receive go -> ok end, demonitor(R) end),
    receive {P, ready} -> P ! go end,
    Dead = seen_dead(P, 300),
    {monitored_by, L} = process_info(S, monitored_by),
    receive {'DOWN', M, _, _, _} -> Dead andalso lists:member(P, L) end.

seen_dead(_, 0) -> false;
seen_dead(P, N) -> not is_process_alive(P) orelse seen_dead(P, N - 1).

flood(_, 0) -> ok;
flood(P, N) -> demonitor(monitor(process, P)), flood(P, N - 1).

%% What is sent to oneself is seen at once, whatever others send meanwhile.
own_messages(0) -> ok;
own_messages(N) ->
    R = make_ref(),
    self() ! R,
    {messages, [R]} = process_info(self(), messages),
    receive R -> own_messages(N - 1) end.

%% What those are told who watch a process in some way when it ends for a long reason: a number for each.
told(Kind, N, Reason) ->
    S = self(),
    Victim = spawn(fun() -> receive go -> exit(Reason) end end),
    Watchers = [spawn(fun() -> watch(Kind, Victim, S) end) || _ <- lists:seq(1, N)],
    [receive {ready, W} -> ok end || W <- Watchers],
    Victim ! go,
    [receive {told, W, What} -> What end || W <- Watchers].

watch(monitor, Victim, S) ->
    R = monitor(process, Victim, [{tag, {'WATCHED', "a tag"}}]),
    S ! {ready, self()},
    receive {{'WATCHED', "a tag"}, R, process, Victim, Why} -> tell(S, Why) end;
watch(link, Victim, S) ->
    process_flag(trap_exit, true),
    link(Victim),
    S ! {ready, self()},
    receive {'EXIT', Victim, Why} -> tell(S, Why) end;
watch(both, Victim, S) ->
    process_flag(trap_exit, true),
    R = monitor(process, Victim),
    link(Victim),
    S ! {ready, self()},
    receive {'EXIT', Victim, A} -> receive {'DOWN', R, process, Victim, B} -> tell(S, {A, B}) end end;
watch(chain, Victim, S) ->
    Me = self(),
    {P, R} = spawn_monitor(fun() -> link(Victim), Me ! linked, receive never -> ok end end),
    receive linked -> ok end,
    S ! {ready, self()},
    receive {'DOWN', R, process, P, Why} -> tell(S, Why) end.

tell(S, Why) ->
    garbage_collect(),
    S ! {told, self(), erlang:phash2(Why)}.

long_reason(N) -> {lists:seq(1, N), binary:copy(<<"b">>, 3 * N), fun lists:map/2, #{k => "literal", 1.5 => [<<1:3>>]}, 1 bsl 100, "literal"}.

cases() ->
    [{long_reasons, fun() -> [told(K, N, long_reason(Size)) || K <- [monitor, link, both, chain], N <- [1, 2, 5], Size <- [1, 30, 60, 100, 5000]] end},
     {dirty_alive, fun() -> with_dirty(fun is_process_alive/1) end},
     {dirty_info, fun() ->
          with_dirty(fun(P) ->
              [process_info(P, I) || I <- [status, links, monitors, trap_exit, registered_name, message_queue_len,
                                           dictionary, suspending, priority, current_function]]
          end) end},
     {dirty_dictionary, fun() -> P = dirty(fun() -> put(k, [v]) end), R = process_info(P, dictionary), kill(P), R end},
     {dirty_messages, fun() -> with_dirty(fun(P) -> P ! {some, "message"}, P ! b, process_info(P, messages) end) end},
     {dirty_backtrace, fun() -> with_dirty(fun(P) -> {backtrace, B} = process_info(P, backtrace), byte_size(B) > 0 end) end},
     {dirty_code, fun() -> with_dirty(fun(P) -> [check_process_code(P, M) || M <- [lists, ?MODULE]] end) end},
     {dirty_purge, fun() -> with_dirty(fun(_) -> [code:purge(t_signal_none), code:soft_purge(t_signal_none)] end) end},
     {dirty_group_leader, fun() -> S = self(), with_dirty(fun(P) -> group_leader(S, P), {group_leader, G} = process_info(P, group_leader), G =:= S end) end},
     {dirty_links, fun() ->
          process_flag(trap_exit, true),
          with_dirty(fun(P) ->
              link(P),
              A = links(P) =:= [self()],
              exit(P, kill),
              {A, next() =:= {'EXIT', P, killed}}
          end) end},
     {dirty_unlink, fun() -> with_dirty(fun(P) -> link(P), unlink(P), [links(P), links(self()) -- links(P)] end) end},
     {dirty_exit, fun() -> P = dirty(), M = monitor(process, P), exit(P, reason), {'DOWN', M, process, P, R} = next(), {R, is_process_alive(P)} end},
     {dirty_exit_normal, fun() -> with_dirty(fun(P) -> exit(P, normal), is_process_alive(P) end) end},
     {dirty_exit_trapped, fun() ->
          P = dirty(fun() -> process_flag(trap_exit, true) end),
          exit(P, reason),
          {messages, [{'EXIT', F, R}]} = process_info(P, messages),
          {F =:= self(), R, kill(P)} end},
     {dirty_name, fun() ->
          P = dirty(fun() -> register(t_signal_dirty, self()) end),
          A = whereis(t_signal_dirty) =:= P,
          kill(P),
          {A, whereis(t_signal_dirty), register(t_signal_dirty, self()), unregister(t_signal_dirty)} end},
     {dirty_named_by_other, fun() -> with_dirty(fun(P) -> [register(t_signal_other, P), whereis(t_signal_other) =:= P, unregister(t_signal_other)] end) end},
     {dirty_table, fun() ->
          P = dirty(fun() -> ets:new(t_signal_table, [named_table, public]) end),
          A = ets:insert(t_signal_table, {a, b}),
          kill(P),
          {A, ets:whereis(t_signal_table)} end},
     {dirty_heir, fun() ->
          S = self(),
          P = dirty(fun() -> ets:new(t_signal_heir, [named_table, {heir, S, data}]) end),
          kill(P),
          R = next() =:= {'ETS-TRANSFER', t_signal_heir, P, data},
          {R, ets:delete(t_signal_heir)} end},
     {dirty_linked_dies_too, fun() ->
          S = self(),
          P = spawn(fun() -> spawn_link(fun() -> S ! {linked, self()}, receive x -> ok end end), erts_debug:dirty_io(alive_waitexiting, S) end),
          Q = receive {linked, X} -> X end,
          receive {alive, P} -> ok end,
          M = monitor(process, Q),
          kill(P),
          receive {'DOWN', M, _, _, Why} -> Why end end},
     {dirty_children_of_supervisor, fun() -> P = dirty(), M = monitor(process, P), true = exit(P, shutdown), receive {'DOWN', M, process, P, W} -> W after 2000 -> late end end},
     {dirty_suspend_async, fun() ->
          S = self(),
          P = spawn(fun() -> S ! go, R = erts_debug:dirty_io(wait, 600), S ! {done, R} end),
          receive go -> timer:sleep(150) end,
          erlang:suspend_process(P, [{asynchronous, tag}]),
          %% BEAM says suspended or not_suspended, before or after the end, as it comes.
          A = next(),
          catch erlang:resume_process(P),
          lists:sort([element(1, A), element(1, next())]) end},
     {dirty_collected_after, fun() ->
          S = self(),
          P = spawn(fun() -> S ! go, erts_debug:dirty_cpu(wait, 50), receive stop -> ok end end),
          receive go -> ok end,
          R = garbage_collect(P),
          P ! stop,
          R end},
     {dirty_values, fun() -> [c(fun() -> erts_debug:dirty_cpu(scheduler, type) end), c(fun() -> erts_debug:dirty_io(scheduler, type) end), length(erts_debug:dirty_cpu(copy, [a, {b, <<"c">>}, "d"])), c(fun() -> erts_debug:dirty_cpu(error, undef) end), c(fun() -> erts_debug:dirty_io(reschedule, 10) end)] end},
     {dirty_to_itself, fun() -> erts_debug:dirty_io(send, self()), [{ok, P}] = flush(), P =:= self() end},
     {dirty_literals, fun() -> hd(erts_debug:dirty_io(copy, {literal, "of this module", <<"and a binary that is longer than those which are kept in a process's own heap, to be shared">>})) end},
     {dirty_many, fun() -> S = self(), [spawn(fun() -> S ! {N, erts_debug:dirty_io(wait, 1)} end) || N <- lists:seq(1, 200)], lists:sum([receive {N, ok} -> N end || N <- lists:seq(1, 200)]) end},
     {dirty_killed_at_any_time, fun() ->
          S = self(),
          Ps = [spawn(fun() -> (fun L() -> file:read_file_info("/"), L() end)() end) || _ <- lists:seq(1, 20)],
          Ms = [monitor(process, P) || P <- Ps],
          [begin S ! tick, receive tick -> ok end, exit(P, kill) end || P <- Ps],
          lists:usort([receive {'DOWN', M, _, _, W} -> W end || M <- Ms]) end},

     {crossing_links, fun() -> crossing(300) end},
     {link_after_unlink, fun() -> process_flag(trap_exit, true), P = spawn(fun worker/0), link(P), unlink(P), link(P), R = [lists:member(self(), links(P)), lists:member(P, links(self()))], exit(P, kill), {R, next() =:= {'EXIT', P, killed}} end},
     {unlink_last, fun() -> process_flag(trap_exit, true), P = spawn(fun worker/0), link(P), unlink(P), link(P), unlink(P), R = links(P), kill(P), {R, flush()} end},
     {unlink_dead, fun() -> P = spawn_link(fun worker/0), unlink(P), kill(P), {unlink(P), links(self()), cr(fun() -> link(P) end)} end},

     {dead_after_its_signals, heavy, fun() -> lists:usort([dead_but_monitors() || _ <- lists:seq(1, 5000)]) end},
     {max_heap_counts_messages, fun() ->
          [begin
               P = spawn_opt(fun() -> receive stop -> alive end end, [{max_heap_size, #{size => 1024, error_logger => false}}, {message_queue_data, D}]),
               [P ! lists:duplicate(I, I) || I <- lists:seq(1, 100)],
               M = monitor(process, P),
               {messages, L} = process_info(P, messages),
               R = garbage_collect(P),
               P ! stop,
               receive {'DOWN', M, _, _, Why} -> {length(L), R, Why} end
           end || D <- [on_heap, off_heap]] end},
     {own_messages_in_a_flood, fun() ->
          S = self(),
          P = spawn(fun() ->
                        Me = self(),
                        Fs = [spawn(fun() -> flood(Me, 30000) end) || _ <- [a, b, c]],
                        R = own_messages(50),
                        [exit(F, kill) || F <- Fs],
                        S ! {self(), R}
                    end),
          receive {P, R} -> R end end},

     {suspender_dies, fun() ->
          Me = self(),
          P = spawn(fun() -> echo(Me) end),
          K = spawn(fun() -> erlang:suspend_process(P), Me ! ready, receive stop -> ok end end),
          receive ready -> ok end,
          P ! a,
          S = process_info(P, status),
          exit(K, kill),
          R = next(),
          exit(P, kill),
          {S, R} end},
     {suspend_tag_when_suspended, fun() ->
          P = spawn(fun worker/0),
          A = erlang:suspend_process(P),
          B = erlang:suspend_process(P, [{asynchronous, tag}]),
          C = next(),
          {suspending, [{P, N, 0}]} = process_info(self(), suspending),
          R = [erlang:resume_process(P), erlang:resume_process(P), cr(fun() -> erlang:resume_process(P) end)],
          exit(P, kill),
          {A, B, C, N, R} end},
     {suspend_tag, fun() -> P = spawn(fun worker/0), A = erlang:suspend_process(P, [{asynchronous, {a, "tag"}}]), B = next(), exit(P, kill), {A, B} end},
     {suspend_dead, fun() ->
          P = spawn(fun() -> ok end),
          M = monitor(process, P),
          receive {'DOWN', M, _, _, _} -> ok end,
          A = cr(fun() -> erlang:suspend_process(P) end),
          B = erlang:suspend_process(P, [asynchronous]),
          C = cr(fun() -> erlang:suspend_process(P) end),
          D = erlang:suspend_process(P, [{asynchronous, tag}]),
          {A, B, C, D, next(), process_info(self(), suspending), cr(fun() -> erlang:resume_process(P) end)} end},
     {suspended_dies, fun() ->
          P = spawn(fun worker/0),
          erlang:suspend_process(P),
          kill(P),
          {process_info(self(), suspending), cr(fun() -> erlang:resume_process(P) end), cr(fun() -> erlang:suspend_process(P) end)} end},
     {suspend_unless, fun() ->
          P = spawn(fun worker/0),
          R = [erlang:suspend_process(P, [unless_suspending]), erlang:suspend_process(P, [unless_suspending]), erlang:suspend_process(P, [asynchronous, unless_suspending])],
          erlang:resume_process(P),
          S = process_info(self(), suspending),
          exit(P, kill),
          {R, S} end},
     {suspend_two, fun() ->
          Me = self(),
          P = spawn(fun() -> echo(Me) end),
          K = spawn(fun() -> erlang:suspend_process(P), Me ! ready, receive stop -> erlang:resume_process(P), Me ! resumed end end),
          receive ready -> ok end,
          erlang:suspend_process(P),
          P ! x,
          K ! stop,
          A = next(),
          B = process_info(P, status),
          erlang:resume_process(P),
          C = next(),
          exit(P, kill),
          {A, B, C} end},
     {suspend_bad, fun() -> P = spawn(fun worker/0), R = [cr(fun() -> erlang:suspend_process(id(A), id(B)) end) || {A, B} <- [{self(), []}, {P, [x]}, {P, x}, {P, [asynchronous | x]}, {x, []}, {P, [{asynchronous}]}]], exit(P, kill), R end},

     %% BEAM 25 does not survive this.
     {stack_in_max_heap, fun() -> case erlang:system_info(otp_release) of
          "25" -> killed;
          _ ->
              {P, R} = spawn_opt(fun() -> rec(3000000), exit(done) end, [monitor, {max_heap_size, #{size => 100000, kill => true, error_logger => false}}]),
              receive {'DOWN', R, _, P, X} -> X end
          end end},
     {stack_in_heap_size, fun() ->
          S = self(),
          P = spawn(fun() -> deep(100000, S) end),
          receive here -> ok end,
          [{_, St}, {_, H}, {_, T}] = process_info(P, [stack_size, heap_size, total_heap_size]),
          exit(P, kill),
          {St > 100000, H >= St, T >= H} end},
     {shared_binaries, fun() ->
          B = binary:copy(<<"x">>, 4711),
          Sizes = fun(P) -> {binary, L} = process_info(P, binary), [N || {_, N, _} <- L, N =:= 4711] end,
          P = spawn(fun() -> receive never -> B end end),
          {_, A} = erlang:process_info(P, message_queue_len),
          R = {Sizes(self()), Sizes(P), A},
          exit(P, kill),
          {R, byte_size(B)} end},
     {deep_garbage, fun() -> length(rec_garbage(100000)) end},

     {online, fun() ->
          N = erlang:system_info(schedulers),
          Ps = [spawn(fun() -> spin(0) end) || _ <- lists:seq(1, 3)],
          R = [begin
                   erlang:system_flag(schedulers_online, 1 + (I rem N)),
                   [P ! {ping, self(), I} || P <- Ps],
                   [receive {I, P} -> ok after 10000 -> stranded end || P <- Ps]
               end || I <- lists:seq(1, 40)],
          erlang:system_flag(schedulers_online, N),
          [exit(P, kill) || P <- Ps],
          lists:usort(lists:append(R)) end},
     {info_at_rest, fun() ->
          P = spawn(fun() -> put(a, 1), worker() end),
          do(P, fun() -> ok end),
          R = lists:usort([process_info(P, [dictionary, message_queue_len, links, trap_exit]) || _ <- lists:seq(1, 20000)]),
          exit(P, kill),
          R end},
     {info_leaves_nothing, fun() ->
          P = spawn(fun() -> erlang:hibernate(?MODULE, id, [self()]) end),
          [process_info(P, [links, dictionary, garbage_collection, current_stacktrace, messages]) || _ <- lists:seq(1, 5000)],
          {heap_size, H} = process_info(P, heap_size),
          exit(P, kill),
          H < 40 end},
     {info_sees_own_messages, fun() -> P = spawn(fun() -> receive never -> ok end end), R = [begin P ! N, process_info(P, message_queue_len) =:= {message_queue_len, N} end || N <- lists:seq(1, 200)], exit(P, kill), lists:usort(R) end}].

spin(N) when N rem 1000 =:= 0 -> receive {ping, P, M} -> P ! {M, self()}, spin(N + 1) after 0 -> spin(N + 1) end;
spin(N) -> spin(N + 1).
