%% Drivers in C, by way of t_driver.c, which is compiled here, where there is a compiler.
-module(t_driver).
-include("diff.hrl").
-include("c_library.hrl").

%% With the driver loaded.
with(F) ->
    case driver_folder("t_driver_drv", "t_driver_drv", "") of
        Path when is_list(Path) ->
            ok = erl_ddll:load(Path, "t_driver_drv"),
            try F() after erl_ddll:unload("t_driver_drv"), wait_until_gone("t_driver_drv"), flush() end;
        Why -> Why
    end.

with_port(F) -> with_port([], F).
with_port(Options, F) -> with(fun() ->
    P = open_port({spawn_driver, "t_driver_drv"}, Options),
    try F(P) after catch port_close(P) end
end).

wait_until_gone(Name) ->
    case lists:member(Name, element(2, erl_ddll:loaded_drivers())) of
        true -> R = erl_ddll:monitor(driver, {Name, unloaded}), receive {_, R, driver, _, _} -> ok after 5000 -> stays end;
        false -> ok
    end.

flush() -> receive _ -> flush() after 0 -> ok end.

%% What comes, with the port's name instead of its number.
next(P) -> receive X -> shown(P, X) after 5000 -> nothing end.
none(P) -> receive X -> shown(P, X) after 100 -> none end.

shown(P, P) -> port;
shown(P, T) when is_tuple(T) -> list_to_tuple(shown(P, tuple_to_list(T)));
shown(P, [H | T]) -> [shown(P, H) | shown(P, T)];
shown(_, S) when S =:= self() -> me;
shown(_, X) when is_port(X) -> another_port;
shown(_, X) when is_pid(X) -> another_process;
shown(_, X) when is_reference(X) -> reference;
shown(_, X) -> X.

control(P, Op) -> control(P, Op, []).
control(P, Op, Data) -> c(fun() -> port_control(P, Op, Data) end).

%% The end of a port for one who is linked to it.
ends(P, F) ->
    process_flag(trap_exit, true),
    R = F(),
    E = next(P),
    M = none(P),
    process_flag(trap_exit, false),
    {R, E, M, erlang:port_info(P)}.

in_process(F) ->
    {Pid, R} = spawn_monitor(F),
    receive {'DOWN', R, _, _, Why} -> {Pid, Why} end.

cases() ->
    [{short_answer, fun() -> with_port(fun(P) -> [control(P, 1, "abc"), control(P, 1, lists:duplicate(100, $q)), control(P, 5), control(P, 6), control(P, 99)] end) end},
     {binary_answer, fun() -> with_port(fun(P) -> [control(P, 2), control(P, 3, "xyz"), control(P, 3, binary:copy(<<"0123456789">>, 50))] end) end},
     {long_answer, fun() -> with_port(fun(P) -> control(P, 4, lists:duplicate(300, 1)) end) end},
     {call, fun() -> with_port(fun(P) ->
         [c(fun() -> erlang:port_call(P, 1, T) end) || T <- [1, {a, "b", 2.5}, lists:seq(1, 1000), #{x => self()} ]] -- [#{x => self()}] end) end},
     {bad_call, fun() -> with_port(fun(P) -> [c(fun() -> erlang:port_call(P, Op, x) end) || Op <- [2, 3, -1, foo]] end) end},
     {command, fun() -> with_port(fun(P) -> port_command(P, ["a", <<"bc">>, [$d]]), [next(P), next(P), next(P)] end) end},
     {command_binary, fun() -> with_port([binary], fun(P) -> P ! {self(), {command, ["abc", binary:copy(<<"d">>, 200)]}}, [next(P), next(P), next(P)] end) end},
     {bad_command, fun() -> with_port(fun(P) -> [c(fun() -> port_command(P, X) end) || X <- [a, [a], [<<1:3>>]]] end) end},
     {vector, fun() -> with_port([binary], fun(P) -> port_command(P, ["v12", binary:copy(<<"x">>, 100), "3", <<"4">>]), next(P) end) end},
     {vector_list, fun() -> with_port(fun(P) -> port_command(P, ["v12", binary:copy(<<"x">>, 100), "3"]), next(P) end) end},
     {output, fun() -> with_port(fun(P) -> control(P, 37, "out"), A = next(P), control(P, 37, ""), {A, next(P)} end) end},
     {output_binary, fun() -> with_port([binary], fun(P) -> {control(P, 32), next(P), none(P)} end) end},
     {output_binary_list, fun() -> with_port(fun(P) -> {control(P, 32), next(P), none(P)} end) end},
     {lines, fun() -> with_port([{line, 5}], fun(P) ->
         [control(P, 37, X) || X <- ["ab\ncd", "e\nlonger than it\n", "rest"]],
         A = [next(P) || _ <- lists:seq(1, 5)], B = none(P), control(P, 37, "\r\n"), {A, B, next(P)} end) end},
     {flags, fun() -> [with_port(O, fun(P) -> control(P, 26) end) || O <- [[], [binary], [line], [line, binary], [eof]]] end},
     {timer, fun() -> with_port(fun(P) -> {control(P, 7), next(P), none(P)} end) end},
     {timer_cancelled, fun() -> with_port(fun(P) -> {control(P, 8), none(P)} end) end},
     {monitor, fun() -> with_port(fun(P) ->
         Pid = spawn(fun() -> receive {go, F} -> F ! {answer, control(P, 9)} end, receive stop -> ok end end),
         Pid ! {go, self()},
         A = {next(P), process_info(Pid, monitored_by) =:= {monitored_by, [P]}}, B = shown(Pid, erlang:port_info(P, monitors)), Pid ! stop, {gone, G, C} = receive X -> X end, {A, B, G =:= Pid, C, erlang:port_info(P, monitors)} end) end},
     {demonitor, fun() -> with_port(fun(P) ->
         {_, R} = in_process(fun() -> exit([control(P, 9), control(P, 10), control(P, 10)]) end), {R, none(P)} end) end},
     {async, fun() -> with_port(fun(P) -> [control(P, 11, "one"), next(P), control(P, 11, "four"), next(P)] end) end},
     {terms, fun() -> with_port(fun(P) -> {control(P, 12), next(P)} end) end},
     {bad_terms, fun() -> with_port(fun(P) -> {control(P, 13), none(P)} end) end},
     {failure_atom, fun() -> with_port(fun(P) -> ends(P, fun() -> control(P, 14, "why\0") end) end) end},
     {failure_posix, fun() -> with_port(fun(P) -> ends(P, fun() -> control(P, 15) end) end) end},
     {failure_eof, fun() -> with_port(fun(P) -> ends(P, fun() -> control(P, 16) end) end) end},
     {failure_eof_told, fun() -> with_port([eof], fun(P) -> A = control(P, 16), {A, next(P), none(P), is_list(erlang:port_info(P))} end) end},
     {driver_exit, fun() -> with_port(fun(P) -> ends(P, fun() -> control(P, 17) end) end) end},
     {driver_exit_error, fun() -> with_port(fun(P) -> ends(P, fun() -> control(P, 17, "x") end) end) end},
     {failure_in_command, fun() -> with_port(fun(P) -> ends(P, fun() -> c(fun() -> port_command(P, "x") end) end) end) end},
     {queue, fun() -> with_port(fun(P) ->
         L = [control(P, 18, "abc"), control(P, 18, ""), control(P, 20, [2]), control(P, 20, [1]), erlang:port_info(P, queue_size), control(P, 20, [100]), control(P, 20, [2])],
         L ++ [erlang:port_info(P, queue_size)] end) end},
     {queue_binaries, fun() -> with_port(fun(P) -> [control(P, 19), port_command(P, "q+x"), port_command(P, "p-y"), control(P, 20, [1]), control(P, 20, [8])] end) end},
     {flush, fun() -> with_port(fun(P) ->
         port_command(P, "qwaits"), true = port_close(P), {links, []} = erlang:port_info(P, links),
         [c(fun() -> port_command(P, "x") end), none(P), erlang:port_info(P)] end) end},
     {flush_by_exit, fun() -> with(fun() ->
         Me = self(),
         {_, R} = in_process(fun() -> P = open_port({spawn_driver, "t_driver_drv"}, []), port_command(P, "qw"), Me ! {port, P}, exit(bye) end),
         {port, P} = receive X -> X end,
         M = erl_ddll:monitor(driver, {"t_driver_drv", unloaded}),
         erl_ddll:unload("t_driver_drv"),
         receive {What, M, driver, N, News} -> {R, is_port(P), What, N, News} after 5000 -> nothing end end) end},
     {no_flush_after_failure, fun() -> with_port(fun(P) -> ends(P, fun() -> port_command(P, "qwaits"), port_command(P, "x") end) end) end},
     {busy, fun() -> with_port(fun(P) ->
         port_command(P, "b"),
         A = c(fun() -> port_command(P, "1", [nosuspend]) end), B = c(fun() -> port_command(P, "1", [force]) end),
         {A, B, port_command(P, "2"), next(P), next(P), next(P)} end) end},
     {another_port, fun() -> with_port(fun(P) ->
         A = control(P, 21),
         {Q, M1} = receive {X, Y} when is_port(X) -> {X, Y} after 5000 -> nothing end,
         M2 = next(P),
         N = erlang:port_info(Q, name), L = shown(P, [erlang:port_info(Q, links), erlang:port_info(Q, connected)]),
         C = erl_ddll:info("t_driver_drv", port_count),
         {A, M1, M2, N, L, C, Q =/= P, port_close(Q), next(P)} end) end},
     {descriptor, fun() -> with_port(fun(P) ->
         [control(P, 22), none(P), control(P, 23, "hello"), next(P), control(P, 23, "0123456789abc"), next(P), next(P), none(P)] end) end},
     {descriptor_to_write, fun() -> with_port(fun(P) -> [control(P, 22), control(P, 24), next(P), none(P)] end) end},
     {descriptor_ends, fun() -> with_port(fun(P) -> control(P, 22), ends(P, fun() -> control(P, 25) end) end) end},
     {queue_lock, fun() -> with_port(fun(P) -> control(P, 27) end) end},
     {environment, fun() -> with_port(fun(P) -> {control(P, 28), os:getenv("T_DRIVER")} end) end},
     {system_info, fun() -> with_port(fun(P) -> control(P, 29) end) end},
     {threads, fun() -> with_port(fun(P) -> control(P, 30) end) end},
     {time_slice, fun() -> with_port(fun(P) -> [control(P, 33), control(P, 33)] end) end},
     {limits, fun() -> with_port(fun(P) -> control(P, 34) end) end},
     {os_pid, fun() -> with_port(fun(P) -> [erlang:port_info(P, os_pid), control(P, 35), erlang:port_info(P, os_pid)] end) end},
     {time, fun() -> with_port(fun(P) -> control(P, 36) end) end},
     {start_errors, fun() -> with(fun() ->
         [c(fun() -> open_port({spawn_driver, "t_driver_drv " ++ X}, []) end) || X <- ["general", "errno", "badarg"]] ++ [erl_ddll:info("t_driver_drv", port_count)] end) end},
     {start_tells, fun() -> with(fun() -> P = open_port({spawn, "t_driver_drv early"}, []), A = next(P), port_close(P), {A, next(P)} end) end},
     {start_options, fun() -> with(fun() ->
         [c(fun() -> open_port({spawn_driver, N}, O) end) || {N, O} <- [{"t_driver_drv", [exit_status]}, {"no_such_drv", []}, {"t_driver_drvx", []},
                                                                       {"t_driver_drv", [{busy_limits_port, {1, 2}}]}, {"t_driver_drv", [{args, []}]}]] end) end},
     {info, fun() -> with_port(fun(P) ->
         {erlang:port_info(P, name), erlang:port_info(P, locking), shown(P, erlang:port_info(P, links)), erlang:port_info(P, input), erlang:port_info(P, output),
          port_command(P, "12345"), erlang:port_info(P, output), erlang:port_info(P, input)} end) end},
     {close, fun() -> with_port(fun(P) -> P ! {self(), close}, [next(P), next(P), none(P)] end) end},
     {connect, fun() -> with_port(fun(P) ->
         Me = self(),
         Q = spawn_link(fun() -> receive X -> Me ! {other, X} end, receive stop -> unlink(P) end end),
         A = port_connect(P, Q), unlink(P), control(P, 37, "to whom"),
         B = next(P), C = control(P, 26), Q ! stop, {A, B, C} end) end}].
