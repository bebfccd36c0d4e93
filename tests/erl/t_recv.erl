%% processes
%% Send and receive.
-module(t_recv).
-export([server/1]).
-include("diff.hrl").

server(N) ->
    receive
        {add, X} -> server(N + X);
        {get, From, Ref} -> From ! {Ref, N}, server(N);
        stop -> stopped
    end.

call(P) ->
    R = make_ref(),
    P ! {get, self(), R},
    receive {R, V} -> V end.

flush() -> receive M -> [M | flush()] after 0 -> [] end.

pump(_, 0) -> ok;
pump(P, N) -> P ! N, pump(P, N - 1).

collect(0) -> [];
collect(N) -> receive {item, N} -> [N | collect(N - 1)] end.

prio() ->
    receive {high, X} -> [{high, X} | prio()]
    after 0 ->
            receive {low, X} -> [{low, X} | prio()]
            after 0 -> []
            end
    end.

ring(0, First) -> First;
ring(N, Next) -> ring(N - 1, spawn(fun() -> relay(Next) end)).
relay(Next) -> receive stop -> Next ! stop; M -> Next ! M, relay(Next) end.

%% Is a process that waits for ever still there after F has disturbed it?
still_waits(F) ->
    S = self(),
    {P, M} = spawn_monitor(fun() -> process_flag(trap_exit, true), S ! {begins, self()}, R = (catch forever(id(infinity))), exit({woke, R}) end),
    receive {begins, P} -> ok end,
    F(P),
    %% It has taken what was said to it when it answers this.
    _ = process_info(P, messages),
    receive {'DOWN', M, _, _, W} -> {died, W}
    after 20 -> exit(P, kill), receive {'DOWN', M, _, _, W} -> W end
    end.

forever(T) -> receive after T -> ok end.

infinite_server(Sum, T) ->
    receive
        N when is_integer(N) -> infinite_server(Sum + N, T);
        {get, From} -> From ! {sum, Sum}, infinite_server(Sum, T)
    after T -> over
    end.

cases() ->
    [{bad_time_rewinds, fun() -> self() ! one, A = cr(fun() -> receive x -> 1 after id(y) -> 2 end end), B = receive one -> got after 0 -> lost end, {A, B} end},
     {never_ends, fun() -> [still_waits(F) || F <- [fun(P) -> P ! x end, fun(P) -> exit(P, shutdown) end, fun(P) -> process_info(P) end, fun(P) -> group_leader(group_leader(), P) end, fun(P) -> demonitor(monitor(process, P)) end, fun(P) -> link(P), unlink(P) end, fun(P) -> garbage_collect(P) end, fun(P) -> erlang:suspend_process(P), erlang:resume_process(P) end, fun(P) -> [P ! Y || Y <- [1, 2, 3]] end]] end},
     {never_in_loop, fun() -> P = spawn(fun() -> infinite_server(0, id(infinity)) end), [P ! N || N <- [1, 2, 3]], P ! noise, P ! {get, self()}, R = receive {sum, S} -> S after 5000 -> none end, exit(P, kill), R end},
     {self_send, fun() -> self() ! hello, receive X -> X end end},
     {send_returns, fun() -> self() ! {a, 1} end},
     {order, fun() -> [self() ! N || N <- [1, 2, 3]], flush() end},
     {selective, fun() -> [self() ! X || X <- [a, {b, 1}, c, {b, 2}]], A = receive {b, N} -> N end, B = receive c -> c end, {A, B, flush()} end},
     {selective_guard, fun() -> [self() ! X || X <- [1, 5, 2, 9]], A = receive N when N > 4 -> N end, B = receive M when M > 4 -> M end, {A, B, flush()} end},
     {after_0, fun() -> receive x -> got after 0 -> nothing end end},
     {after_0_scans_all, fun() -> [self() ! X || X <- [a, b, c]], R = receive c -> got after 0 -> nothing end, {R, flush()} end},
     {after_10, fun() -> T = erlang:monotonic_time(millisecond), R = receive x -> got after 10 -> timeout end, E = erlang:monotonic_time(millisecond) - T, {R, E >= 10} end},
     {after_infinity, fun() -> self() ! x, receive x -> got after infinity -> timeout end end},
     {after_bad, fun() -> [c(fun() -> receive x -> 1 after id(T) -> 2 end end) || T <- [-1, a, 1.0, 1 bsl 40, 1 bsl 70]] end},
     {after_only, fun() -> receive after 1 -> done end end},
     {after_big_unused, fun() -> self() ! x, receive x -> got after 16#FFFFFFFF -> timeout end end},
     {timeout_then_message, fun() -> R = receive x -> got after 1 -> timeout end, self() ! x, {R, receive x -> got after 0 -> none end} end},
     {message_cancels_timeout, fun() -> S = self(), spawn(fun() -> S ! x end), receive x -> got after 5000 -> timeout end end},
     {unmatched_does_not_reset_timeout, fun() -> S = self(), P = spawn(fun() -> nag(S, 1000) end), T0 = erlang:monotonic_time(millisecond), R = receive x -> got after 60 -> timeout end, E = erlang:monotonic_time(millisecond) - T0, exit(P, kill), {R, E < 3000} end},
     {server_state, fun() -> P = spawn(?MODULE, server, [0]), [P ! {add, N} || N <- [1, 2, 3]], V = call(P), P ! stop, V end},
     {call_many, fun() -> P = spawn(fun() -> server(0) end), R = [begin P ! {add, N}, call(P) end || N <- lists:seq(1, 200)], P ! stop, lists:last(R) end},
     {ref_receive_deep_queue, fun() -> pump(self(), 5000), P = spawn(fun() -> server(7) end), V = [call(P) || _ <- lists:seq(1, 50)], P ! stop, {lists:usort(V), length(flush())} end},
     {reverse_order, fun() -> [self() ! {item, N} || N <- lists:seq(1, 500)], hd(collect(500)) end},
     {priority, fun() -> [self() ! M || M <- [{low, 1}, {high, 2}, {low, 3}, {high, 4}]], prio() end},
     {ring, fun() -> P = ring(100, self()), P ! {token, 1}, R = receive {token, N} -> N end, P ! stop, {R, receive stop -> stopped end} end},
     {two_senders_each_in_order, fun() -> S = self(), [spawn(fun() -> [S ! {T, N} || N <- lists:seq(1, 100)] end) || T <- [a, b]], L = [receive M -> M end || _ <- lists:seq(1, 200)], [[N || {T, N} <- L, T =:= X] =:= lists:seq(1, 100) || X <- [a, b]] end},
     {send_to_dead, fun() -> P = spawn(fun() -> ok end), R = monitor(process, P), receive {'DOWN', R, _, _, _} -> ok end, P ! hello end},
     {send_to_name, fun() -> register(t_recv_name, self()), t_recv_name ! hi, R = receive X -> X end, unregister(t_recv_name), R end},
     {send_to_no_name, fun() -> c(fun() -> id(surely_no_such_name) ! hi end) end},
     {send_to_name_node, fun() -> register(t_recv_name2, self()), {t_recv_name2, node()} ! hi, R = receive X -> X after 1000 -> none end, {nosuchname, node()} ! x, {R, {nosuchname, node()} ! x} end},
     {send_bad, fun() -> [c(fun() -> id(X) ! hi end) || X <- [1, "a", {a}, <<>>, {a, 1}]] end},
     {erlang_send, fun() -> [erlang:send(self(), a), erlang:send(self(), b, []), erlang:send(self(), c, [nosuspend]), erlang:send(self(), d, [noconnect, nosuspend]), flush()] end},
     {erlang_send_bad, fun() -> [c(fun() -> erlang:send(self(), x, id([foo])) end), c(fun() -> erlang:send(id(no_such_name_at_all), x) end), c(fun() -> erlang:send(id(1), x, []) end)] end},
     {send_nosuspend, fun() -> [erlang:send_nosuspend(self(), x), flush()] end},
     {big_message, fun() -> L = lists:seq(1, 100000), S = self(), spawn(fun() -> S ! {big, L} end), receive {big, X} -> {length(X), X =:= L} end end},
     {binary_message, fun() -> B = binary:copy(<<"x">>, 100000), S = self(), spawn(fun() -> S ! B end), receive X -> byte_size(X) end end},
     {sub_binary_message, fun() -> B = binary:copy(<<"abcde">>, 1000), <<_:7/binary, Sub:9/binary, _/binary>> = B, S = self(), spawn(fun() -> S ! Sub end), receive X -> X end end},
     {map_message, fun() -> S = self(), spawn(fun() -> S ! #{a => [1, {2}], b => <<"c">>} end), receive #{a := A} -> A end end},
     {ping_pong, fun() -> S = self(), P = spawn(fun() -> pong(S) end), ping(P, 2000) end},
     {many_to_one, fun() -> S = self(), [spawn(fun() -> S ! N end) || N <- lists:seq(1, 1000)], lists:sum([receive N -> N end || _ <- lists:seq(1, 1000)]) end},
     {receive_in_fun, fun() -> F = fun() -> receive {k, V} -> V end end, self() ! {k, 5}, F() end},
     {receive_nested, fun() -> self() ! {first, x}, self() ! {x, second}, receive {first, K} -> receive {K, V} -> V end end end},
     {receive_bound, fun() -> X = id(3), [self() ! N || N <- [1, 2, 3]], receive X -> found end end},
     {receive_binary_pattern, fun() -> self() ! <<5, "hello">>, receive <<N, B:N/binary>> -> B end end},
     {receive_map_pattern, fun() -> self() ! #{t => 1}, self() ! #{u => 2}, receive #{u := V} -> V end end},
     {receive_exception_in_body, fun() -> self() ! a, self() ! b, R = cr(fun() -> receive a -> error(boo) end end), {R, flush()} end},
     {receive_exception_in_guard, fun() -> self() ! {1}, self() ! [1], receive X when hd(X) =:= 1 -> X end end},
     {process_info_queue, fun() -> [self() ! N || N <- [a, b]], {message_queue_len, 2} = process_info(self(), message_queue_len), {messages, L} = process_info(self(), messages), {L, flush()} end},
     {other_queue, fun() -> P = spawn(fun() -> receive stop -> ok end end), [P ! N || N <- [1, 2, 3]], R = process_info(P, messages), P ! stop, R end},
     {wait_then_wake, fun() -> S = self(), P = spawn(fun() -> receive go -> S ! gone end end), wait_state(P, waiting), P ! go, receive gone -> ok end end},
     {long_queue_selective, heavy, fun() -> pump(self(), 20000), self() ! last, receive last -> length(flush()) end end},
     {off_heap_queue, fun() -> process_flag(message_queue_data, off_heap), [self() ! {N, lists:seq(1, N)} || N <- lists:seq(1, 50)], garbage_collect(), R = lists:sum([length(L) || {_, L} <- flush()]), {R, process_info(self(), message_queue_data)} end},
     {gc_with_queue, fun() -> [self() ! {N, lists:seq(1, 20)} || N <- lists:seq(1, 200)], garbage_collect(), _ = [lists:seq(1, 100) || _ <- lists:seq(1, 100)], lists:sum([lists:sum(L) || {_, L} <- flush()]) end},
     {self_send_uncopied, fun() -> T = {big, lists:seq(1, 50), <<1:800>>}, [self() ! {N, T} || N <- lists:seq(1, 60)], garbage_collect(), _ = [lists:seq(1, 100) || _ <- lists:seq(1, 100)], [self() ! {N, T} || N <- lists:seq(61, 70)], garbage_collect(), L = flush(), {[N || {N, _} <- L], lists:all(fun({_, X}) -> X =:= T end, L)} end},
     {self_send_selective, fun() -> [self() ! {N, [N]} || N <- lists:seq(1, 20)], A = receive {7, V7} -> V7 end, garbage_collect(), self() ! {21, [A]}, B = receive {21, V} -> V end, C = receive {1, V1} -> V1 end, garbage_collect(), {A, B, C, flush()} end},
     {self_send_between_others, fun() -> S = self(), P = spawn(fun() -> [S ! {other, N} || N <- lists:seq(1, 5)], S ! ready end), R = monitor(process, P), receive {'DOWN', R, _, _, _} -> ok end, S ! {mine, 1}, receive ready -> ok end, S ! {mine, 2}, flush() end},
     {self_send_by_name, fun() -> register(t_recv_me, self()), t_recv_me ! {a, [1]}, self() ! {b, [2]}, unregister(t_recv_me), flush() end},
     {copy_semantics, fun() -> S = self(), spawn(fun() -> T = {x, [1]}, S ! T, S ! setelement(1, T, y) end), [receive M -> M end, receive M2 -> M2 end] end}].

nag(_, 0) -> ok;
nag(S, N) -> S ! noise, receive after 1 -> nag(S, N - 1) end.

pong(S) -> receive {ping, N} -> S ! {pong, N}, pong(S); stop -> ok end.
ping(P, 0) -> P ! stop, done;
ping(P, N) -> P ! {ping, N}, receive {pong, N} -> ping(P, N - 1) end.

wait_state(P, S) ->
    case process_info(P, status) of
        {status, S} -> ok;
        _ -> erlang:yield(), wait_state(P, S)
    end.
