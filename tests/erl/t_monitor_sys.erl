%% `erlang:system_monitor/0,1,2`: what is set, and what the process is told.
%% modes: plain interp native chaos gc-stress
-module(t_monitor_sys).
-include("diff.hrl").

release() -> list_to_integer(erlang:system_info(otp_release)).

%% The settings, with this process by name.
get_() -> named(erlang:system_monitor()).

named({P, L}) when P =:= self() -> {self, L};
named({P, L}) when is_pid(P) -> {pid, L};
named(X) -> X.

set(A) ->
    R = case cr(fun() -> apply(erlang, system_monitor, A) end) of
        {ok, Was} -> {ok, named(Was)};
        E -> E
    end,
    {R, get_()}.

each(L) -> Me = self(), R = [set([Me, id([O])]) || O <- L], erlang:system_monitor(undefined), R.

%% The first message about a process or port and an event.
told(Who, What) ->
    receive
        {monitor, Who, What, V} -> V
    after 30000 -> nothing
    end.

%% What has been told, of these.
told_all(Who) ->
    receive
        {monitor, Who, W, V} -> [{W, V} | told_all(Who)]
    after 0 -> []
    end.

%% Everything that was said before has arrived.
settle() -> R = erlang:trace_delivered(all), receive {trace_delivered, all, R} -> ok end.

keys(L) when is_list(L) -> [{K, is_integer(V)} || {K, V} <- L];
keys(X) -> X.

internal(F) ->
    erts_debug:set_internal_state(available_internal_state, true),
    try F() after erts_debug:set_internal_state(available_internal_state, false) end.

worker(F) -> spawn(fun W() -> receive {do, From} -> F(), From ! {done, self()}, W(); stop -> ok end end).
done(P) -> receive {done, P} -> ok end.

cases() ->
    [{numbers, fun() -> each([{long_gc, 0}, {long_gc, 1}, {long_gc, 5}, {large_heap, 0}, {large_heap, 1}, {large_heap, 20000}, {long_schedule, 0}, {long_schedule, 10}, {long_gc, 1 bsl 60}, {long_gc, (1 bsl 64) - 1}, {large_heap, (1 bsl 64) - 1}]) end},
     {numbers_wrong, fun() -> each([{long_gc, -1}, {long_gc, a}, {long_gc, 1.0}, {long_gc, 1 bsl 64}, {large_heap, -1}, {large_heap, 1 bsl 70}, {long_schedule, -1}, {long_schedule, x}, {long_schedule, 1 bsl 70}]) end},
     {queues, fun() -> each([{long_message_queue, V} || V <- [{0, 1}, {5, 10}, {1, 1}, {-1, 1}, {0, -1}, 5, {a, b}, {1, 2, 3}, {5, 1 bsl 62}, {5, (1 bsl 63) - 1}, {5, 1 bsl 63}, {5, (1 bsl 64) - 1}, {5, 1 bsl 64}, false]]) end},
     {switches, fun() -> each([busy_port, busy_dist_port, {busy_port, true}, {busy_port, false}, {busy_dist_port, true}, {busy_port, 1}, {long_gc, false}, {long_gc, true}, {large_heap, false}, foo, {foo, 1}, {long_gc}, {long_gc, 1, 2}, [], 1]) end},
     {several, fun() -> Me = self(), R = [set([Me, L]) || L <- [[{long_gc, 1}, {large_heap, 2}, busy_port, busy_dist_port, {long_schedule, 50}], [busy_dist_port, {long_schedule, 50}, busy_port, {long_gc, 3}], [{long_gc, 1}, {long_gc, 7}, busy_port, busy_port], [busy_port, foo], [busy_port | x], [busy_port | busy_port], x, []]], erlang:system_monitor(undefined), R end},
     {pairs, fun() -> Me = self(), R = [set([A]) || A <- [{Me, [busy_port]}, undefined, {Me, [busy_port]}, {Me, []}, atom, {}, {1}, {1, 2, 3}, {Me, atom}, {a, [busy_port]}, {a, []}, {undefined, []}, 1, [], Me]], erlang:system_monitor(undefined), R end},
     {nobody, fun() -> Me = self(), R = [begin erlang:system_monitor(Me, [busy_port]), set(A) end || A <- [[undefined, []], [undefined, [busy_port]], [undefined, [bad]], [undefined, bad], [atom, []], [atom, [busy_port]], [1, []], [init, [busy_port]], [{undefined, bad}]]], erlang:system_monitor(undefined), R end},
     {others, fun() -> {D, M} = spawn_monitor(fun() -> ok end), receive {'DOWN', M, _, _, _} -> ok end, E = binary_to_term(<<131, 88, 100, 0, 3, $a, $@, $b, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1>>), [case c(fun() -> erlang:system_monitor(P, [busy_port]) end) of {C, R, {Mo, F, _, I}} -> {C, R, Mo, F, I} end || P <- [D, E]] end},
     {ends_with_the_process, fun() -> P = spawn(fun() -> receive stop -> ok end end), M = monitor(process, P), A = set([P, [{long_gc, 8}]]), P ! stop, receive {'DOWN', M, _, _, _} -> ok end, {A, get_()} end},
     {long_gc, fun() -> internal(fun() ->
          P = worker(fun() -> garbage_collect() end),
          erlang:system_monitor(self(), [{long_gc, 30}]),
          erts_debug:set_internal_state(test_long_gc_sleep, 60),
          P ! {do, self()}, done(P),
          erts_debug:set_internal_state(test_long_gc_sleep, 0),
          L = told(P, long_gc), erlang:system_monitor(undefined), P ! stop,
          {keys(L), proplists:get_value(timeout, L) >= 30} end) end},
     {large_heap, fun() ->
          P = spawn_opt(fun W() -> receive {do, From} -> garbage_collect(), From ! {done, self()}, W(); stop -> ok end end, [{min_heap_size, 200000}]),
          Q = worker(fun() -> garbage_collect() end),
          erlang:system_monitor(self(), [{large_heap, 50000}]),
          [begin X ! {do, self()}, done(X) end || X <- [P, Q]], settle(),
          L = told(P, large_heap), R = {keys(L), proplists:get_value(heap_block_size, L) >= 200000, told_all(Q)},
          erlang:system_monitor(undefined), [X ! stop || X <- [P, Q]], R end},
     {long_schedule, fun() -> internal(fun() ->
          P = worker(fun() -> erts_debug:set_internal_state(sleep, 80) end),
          erlang:system_monitor(self(), [{long_schedule, 40}]),
          P ! {do, self()}, done(P),
          L = told(P, long_schedule), erlang:system_monitor(undefined), P ! stop,
          {[K || {K, _} <- L], proplists:get_value(timeout, L) >= 40, [case proplists:get_value(K, L) of {M, F, A} when is_atom(M), is_atom(F), is_integer(A) -> mfa; undefined -> mfa end || K <- [in, out]]} end) end},
     {nothing_about_itself, fun() -> internal(fun() ->
          Me = self(),
          P = spawn(fun() -> erlang:system_monitor(self(), [{long_gc, 20}, {long_schedule, 20}, {large_heap, 20000}]), erts_debug:set_internal_state(test_long_gc_sleep, 40), garbage_collect(), erts_debug:set_internal_state(test_long_gc_sleep, 0), L = lists:seq(1, 100000), garbage_collect(), true = length(L) > 1, erts_debug:set_internal_state(sleep, 40), settle(), Me ! {self(), told_all(self())} end),
          receive {P, L} -> L end end) end},
     {long_message_queue, fun() -> case release() of
          25 -> old;
          _ ->
              P = spawn(fun Wait() -> receive {drain, N} -> [receive x -> ok end || _ <- lists:seq(1, N)], Wait(); stop -> ok end end),
              erlang:system_monitor(self(), [{long_message_queue, {10, 20}}]),
              X = fun(N) -> [P ! x || _ <- lists:seq(1, N)], {message_queue_len, L} = process_info(P, message_queue_len), L end,
              D = fun(N) -> P ! {drain, N}, (fun W() -> case process_info(P, message_queue_len) of {message_queue_len, L} when L < N -> L; {message_queue_len, L} -> case process_info(P, status) of {status, waiting} -> L; _ -> erlang:yield(), W() end end end)() end,
              A = {X(15), told_all(P)}, B = {X(10), told(P, long_message_queue)}, C = {X(10), told_all(P)},
              P ! {drain, 30}, E = told(P, long_message_queue), _ = D(0), F = told_all(P),
              G = {X(25) >= 20, told(P, long_message_queue)},
              erlang:system_monitor(undefined), exit(P, kill), {A, B, C, E, F, G}
          end end},
     {long_queue_of_one_who_works, fun() -> case release() of
          25 -> old;
          _ ->
              P = spawn(fun W() -> _ = lists:seq(1, 1000), W() end),
              erlang:system_monitor(self(), [{long_message_queue, {10, 20}}]),
              [P ! x || _ <- lists:seq(1, 30)], R = told(P, long_message_queue),
              erlang:system_monitor(undefined), exit(P, kill), R
          end end},
     {long_queue_of_own_messages, fun() -> case release() of
          25 -> old;
          _ ->
              Me = self(), erlang:system_monitor(self(), [{long_message_queue, {2, 5}}]),
              P = spawn(fun() -> [self() ! x || _ <- lists:seq(1, 6)], receive y -> ok after 0 -> ok end, Me ! go, receive stop -> ok end end),
              receive go -> ok end, R = told(P, long_message_queue),
              erlang:system_monitor(undefined), exit(P, kill), R
          end end},
     {busy_port, fun() ->
          Me = self(), Port = open_port({spawn, "sleep 60"}, [stream]), {os_pid, Os} = erlang:port_info(Port, os_pid),
          erlang:system_monitor(self(), [busy_port]),
          P = spawn(fun() -> Fill = fun F() -> port_command(Port, binary:copy(<<"x">>, 100000)), F() end, Fill() end),
          R = told(P, busy_port) =:= Port, S = (fun W() -> case process_info(P, status) of {status, suspended} -> suspended; _ -> erlang:yield(), W() end end)(),
          erlang:system_monitor(undefined), exit(P, kill), port_close(Port), _ = os:cmd("kill " ++ integer_to_list(Os)), true = is_pid(Me), {R, S} end},
     {not_asked, fun() -> internal(fun() ->
          P = worker(fun() -> garbage_collect() end), erlang:system_monitor(self(), [busy_port]),
          erts_debug:set_internal_state(test_long_gc_sleep, 20), P ! {do, self()}, done(P), erts_debug:set_internal_state(test_long_gc_sleep, 0),
          settle(), R = told_all(P), erlang:system_monitor(undefined), P ! stop, R end) end},
     {delivered, fun() -> R = erlang:trace_delivered(self()), A = receive {trace_delivered, S, R} -> S =:= self() end, {A, is_reference(R), [cr(fun() -> erlang:trace_delivered(id(X)) end) || X <- [foo, 1, {}, make_ref()]]} end},
     {check_io, fun() -> [First | Rest] = Sets = erlang:system_info(check_io), {lists:usort([[K || {K, _} <- S] || S <- Sets]), [proplists:get_value(K, First) || K <- [name, fallback, kernel_poll, poll_threads, active_fds]], lists:usort([[proplists:get_value(K, S) || K <- [name, fallback, kernel_poll, batch_updates, concurrent_updates, pending_updates]] || S <- Rest]), lists:sum([proplists:get_value(poll_threads, S) || S <- Sets]), [length(lists:usort([proplists:get_value(max_fds, S) || S <- Sets]))], [lists:all(fun(N) -> is_integer(N) andalso N >= 0 end, [proplists:get_value(K, S) || S <- Sets]) || K <- [memory_size, total_poll_set_size, active_fds]]} end},
     {check_io_debug, fun() -> internal(fun() -> {E, _, _, _} = erts_debug:get_internal_state(check_io_debug), E end) end},
     {ports_of_one_moment, fun() -> P = open_port({spawn, "cat"}, []), A = lists:member(P, erlang:ports()), port_close(P), {A, lists:member(P, erlang:ports())} end}].
