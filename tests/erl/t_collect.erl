%% memory
%% Collections of heaps so large that they are not made by the scheduler: what becomes of the process, and what others
%% see of it meanwhile. Ends with many relations, and many signals at once.
-module(t_collect).
-export([]).
-include("diff.hrl").

large() -> large(60000).
large(N) -> [{I, integer_to_binary(I), [I]} || I <- lists:seq(1, N)].

sum(L) -> lists:foldl(fun({I, B, [I]}, A) -> I + byte_size(B) + A end, 0, L).

%% A process that holds a large heap and answers.
holder(N) -> spawn(fun() -> hold(large(N)) end).

hold(L) ->
    receive
        {sum, From, R} -> From ! {R, sum(L)}, hold(L);
        {collect, From, R} -> From ! {R, garbage_collect()}, hold(L);
        {grow, From, R} -> From ! {R, ok}, hold(large(1000) ++ L);
        stop -> ok
    end.

ask(P, What) ->
    R = make_ref(),
    P ! {What, self(), R},
    receive {R, V} -> V end.

down(P) ->
    M = monitor(process, P),
    receive {'DOWN', M, process, P, Why} -> Why end.

stop(P) ->
    M = monitor(process, P),
    P ! stop,
    receive {'DOWN', M, process, P, Why} -> Why end.

%% Garbage beside what is kept, so that the process is collected many times while others talk to it.
churn(0, L, Got) -> {sum(L), lists:sort(Got)};
churn(N, L, Got) ->
    _ = [{I, I} || I <- lists:seq(1, 1000)],
    receive M -> churn(N - 1, L, [M | Got]) after 0 -> churn(N - 1, L, Got) end.

rest(Got) -> receive M -> rest([M | Got]) after 0 -> lists:sort(Got) end.

deep(0) -> [];
deep(N) -> [N | deep(N - 1)].

%% What is tried with a heap of some thousand words and of a million.
sizes() ->
    [{by_another, fun(N) ->
         P = holder(N), A = ask(P, sum),
         R = [garbage_collect(P) || _ <- lists:seq(1, 3)],
         B = ask(P, sum), {A, R, B, stop(P)} end},
     {kinds, fun(N) ->
         P = holder(N), _ = ask(P, sum),
         R = [garbage_collect(P, [{type, T}]) || T <- [minor, major, minor]],
         async = garbage_collect(P, [{async, x}]),
         G = receive {garbage_collect, x, V} -> V end,
         {R, G, stop(P)} end},
     {killed, fun(N) ->
         [begin P = holder(N), _ = ask(P, sum), M = monitor(process, P),
              async = garbage_collect(P, [{async, K}]), exit(P, K),
              W = receive {'DOWN', M, _, _, Why} -> Why end,
              receive {garbage_collect, K, V} -> {W, is_boolean(V), is_process_alive(P)} end
          end || K <- [kill, other]] end},
     {suspended, fun(N) ->
         P = holder(N), _ = ask(P, sum),
         erlang:suspend_process(P),
         R = garbage_collect(P),
         S = erlang:process_info(P, status),
         erlang:resume_process(P),
         A = ask(P, sum), {R, S, A, stop(P)} end},
     {looked_at, fun(N) ->
         P = holder(N), _ = ask(P, sum),
         async = garbage_collect(P, [{async, x}]),
         R = [process_info(P, I) || I <- [message_queue_len, trap_exit, links, monitors, registered_name]],
         A = is_process_alive(P),
         receive {garbage_collect, x, true} -> ok end,
         {R, A, stop(P)} end},
     {grows, fun(N) ->
         P = holder(N), [ask(P, grow) || _ <- lists:seq(1, 3)], true = ask(P, collect),
         A = ask(P, sum), {A, stop(P)} end},
     {messages_meanwhile, fun(N) ->
         P = self(), L = large(N),
         [spawn(fun() -> P ! {item, I, lists:seq(1, I)} end) || I <- lists:seq(1, 50)],
         {A, Got} = churn(400, L, []),
         wait_for(50 - length(Got), A, Got) end},
     {links_meanwhile, fun(N) ->
         P = holder(N), S = self(),
         Q = spawn(fun() -> link(P), S ! linked, receive stop -> ok end end),
         receive linked -> ok end, _ = ask(P, sum),
         async = garbage_collect(P, [{async, x}]),
         exit(Q, bye), W = [down(Q), down(P)],
         receive {garbage_collect, x, G} -> {[lists:member(X, [bye, noproc]) || X <- W], is_boolean(G)} end end},
     {dictionary, fun(N) ->
         put(big, large(N)), [put({k, I}, I) || I <- lists:seq(1, 100)],
         true = garbage_collect(), true = garbage_collect(),
         R = {sum(get(big)), lists:sum([get({k, I}) || I <- lists:seq(1, 100)])},
         erase(), R end},
     {hibernates_and_collects, fun(N) ->
         S = self(),
         P = spawn(fun() -> put(big, large(N)), S ! ready, erlang:hibernate(erlang, apply, [fun() ->
             receive {From, R} -> From ! {R, sum(get(big))} end end, []]) end),
         receive ready -> ok end,
         A = [garbage_collect(P) || _ <- [1, 2]],
         {message_queue_len, B} = process_info(P, message_queue_len),
         true = erlang:suspend_process(P), true = erlang:resume_process(P),
         R = make_ref(), P ! {S, R},
         receive {R, V} -> {A, B, V, lists:member(down(P), [normal, noproc])} end end},
     {killed_as_it_hibernates, fun(N) ->
         S = self(),
         P = spawn(fun() -> put(big, large(N)), S ! ready, erlang:hibernate(erlang, self, []) end),
         receive ready -> exit(P, kill) end,
         down(P) end},
     {hibernates, fun(N) ->
         S = self(),
         P = spawn(fun() -> put(big, large(N)), S ! ready, erlang:hibernate(erlang, apply, [fun() ->
             receive {From, R} -> From ! {R, sum(get(big))} end end, []]) end),
         receive ready -> ok end,
         R = make_ref(), P ! {S, R},
         receive {R, V} -> {V, lists:member(down(P), [normal, noproc])} end end}].

cases() ->
    [{Name, fun() -> F(1500) end} || {Name, F} <- sizes()] ++
    [{list_to_atom(atom_to_list(Name) ++ "_large"), heavy, fun() -> F(60000) end} || {Name, F} <- sizes()] ++
    [{own, fun() -> L = large(), true = garbage_collect(), A = sum(L), true = garbage_collect(), {A, sum(L)} end},
     {of_a_dead_one, fun() -> P = spawn(fun() -> ok end), down(P), garbage_collect(P) end},
     {deep_stack, heavy, fun() -> L = large(), D = deep(300000), true = garbage_collect(), {sum(L), length(D), lists:sum(D)} end},
     {max_heap, heavy, fun() ->
         {P, M} = spawn_opt(fun() -> sum(large()) end,
                            [monitor, {max_heap_size, #{size => 300000, kill => true, error_logger => false}}]),
         receive {'DOWN', M, process, P, W} -> W end end},
     {floats_over_a_collection, heavy, fun() ->
         L = large(), F = lists:foldl(fun({I, _, _}, A) -> [A0 | _] = [A * 0.5 + I / 3.0, I], A0 end, 1.0, L),
         {F, sum(L)} end},
     {catch_over_a_collection, heavy, fun() ->
         L = large(), R = [catch error({big, lists:sublist(L, 2)}) || _ <- lists:seq(1, 2)],
         [{E, sum(L)} || {'EXIT', {E, _}} <- R] end},
     {many_monitors, heavy, fun() ->
         P = spawn(fun() -> receive stop -> exit(bye) end end),
         Ms = [monitor(process, P) || _ <- lists:seq(1, 5000)],
         P ! stop,
         Rs = [receive {'DOWN', M, process, P, W} -> W end || M <- Ms],
         {length(Rs), lists:usort(Rs), is_process_alive(P), rest([])} end},
     {many_monitors_taken_away, heavy, fun() ->
         P = spawn(fun() -> receive stop -> exit(bye) end end),
         Ms = [monitor(process, P) || _ <- lists:seq(1, 3000)],
         P ! stop, down(P),
         Rs = [demonitor(M, [flush, info]) || M <- Ms],
         {lists:usort(Rs) -- [true, false], rest([])} end},
     {many_links, heavy, fun() ->
         S = self(),
         {P, M} = spawn_monitor(fun() ->
             Q = [spawn_link(fun() -> process_flag(trap_exit, true), S ! up, receive X -> S ! {got, element(3, X)} end end)
                  || _ <- lists:seq(1, 3000)],
             [receive go -> ok end || _ <- [1]], exit({bye, length(Q)}) end),
         [receive up -> ok end || _ <- lists:seq(1, 3000)],
         P ! go,
         W = receive {'DOWN', M, _, _, Why} -> Why end,
         {W, lists:usort([receive {got, G} -> G end || _ <- lists:seq(1, 3000)]), rest([])} end},
     {name_is_free_at_once, heavy, fun() ->
         P = spawn(fun() -> register(t_collect_name, self()), receive stop -> exit(bye) end end),
         Ms = [monitor(process, P) || _ <- lists:seq(1, 3000)],
         P ! stop,
         receive {'DOWN', M, _, _, _} -> true = lists:member(M, Ms) end,
         R = {whereis(t_collect_name), is_process_alive(P), process_info(P), lists:member(P, processes())},
         [demonitor(X, [flush]) || X <- Ms], R end},
     {many_signals_then_timeout_zero, heavy, fun() ->
         S = self(),
         {_, M} = spawn_monitor(fun() -> [S ! {n, I} || I <- lists:seq(1, 5000)] end),
         receive {'DOWN', M, _, _, normal} -> ok end,
         L = rest([]), {length(L), hd(L), lists:last(L)} end},
     {many_messages_counted, heavy, fun() ->
         S = self(),
         {_, M} = spawn_monitor(fun() -> [S ! {n, I} || I <- lists:seq(1, 5000)] end),
         receive {'DOWN', M, _, _, normal} -> ok end,
         {message_queue_len, N} = process_info(self(), message_queue_len),
         {N, length(rest([]))} end},
     {exit_among_many_signals, heavy, fun() ->
         {P, M} = spawn_monitor(fun() -> receive never -> ok end end),
         [P ! {n, I} || I <- lists:seq(1, 3000)], exit(P, enough), [P ! {n, I} || I <- lists:seq(1, 3000)],
         receive {'DOWN', M, _, _, W} -> W end end},
     {unlink_among_many_signals, heavy, fun() ->
         process_flag(trap_exit, true),
         P = spawn_link(fun() -> receive stop -> exit(bye) end end),
         S = self(),
         {_, M} = spawn_monitor(fun() -> [S ! {n, I} || I <- lists:seq(1, 3000)] end),
         receive {'DOWN', M, _, _, normal} -> ok end,
         P ! stop, down(P), unlink(P),
         L = rest([]), process_flag(trap_exit, false),
         {length(L), [X || {'EXIT', _, X} <- L]} end}].

wait_for(0, A, Got) -> {A, length(Got), [I || {item, I, L} <- lists:sort(Got), length(L) =:= I]};
wait_for(N, A, Got) -> receive M -> wait_for(N - 1, A, [M | Got]) end.
