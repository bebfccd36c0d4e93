%% Ports to programs: what they are told, what they tell, what is left of them.
%% modes: plain interp native chaos gc-stress
-module(t_port).
-include("diff.hrl").

%% What a port says up to its end, or until nothing is said for so long.
all(P) -> all(P, 20000).
all(P, T) ->
    receive
        {P, eof} -> [eof];
        {P, M} -> [M | all(P, T)];
        {'EXIT', P, R} -> [{exit, R}]
    after T -> [silence]
    end.

%% Everything up to the exit of the port, as bytes.
bytes(P) -> iolist_to_binary([D || {data, D} <- all(P)]).

sh(Command) -> sh(Command, []).
sh(Command, Options) -> open_port({spawn_executable, "/bin/sh"}, [{args, ["-c", Command]} | Options]).

%% Runs F in a process that traps exits.
trapping(F) ->
    {P, R} = spawn_monitor(fun() -> process_flag(trap_exit, true), exit({done, F()}) end),
    receive {'DOWN', R, _, P, {done, V}} -> V; {'DOWN', R, _, P, Why} -> {died, Why} after 60000 -> exit(P, kill), late end.

zombies() ->
    Ps = string:lexemes(os:cmd("ps -o stat= --ppid " ++ os:getpid()), "\n"),
    length([S || S <- Ps, lists:member($Z, S)]).

no_zombies(0) -> zombies();
no_zombies(N) -> case zombies() of 0 -> 0; _ -> timer:sleep(50), no_zombies(N - 1) end.

%% A program that gets so many bytes and is slow to read them.
slow_reader() -> sh("read x; cat > /dev/null", [binary]).

cases() ->
    [{line_rest, fun() -> [trapping(fun() -> all(open_port({spawn_executable, "/usr/bin/printf"}, [{args, [S]}, {line, 5}, eof])) end)
         || S <- ["one\\ntwo", "x", "a\\r\\n", "ab\\nabcdefgh\\nabcd\\r\\nabcde\\nx\\r", "abcde\\r\\n", "abcde\\rx\\n", "abcde\\r", "abcd\\r\\r\\n", "abcde\\r\\r\\n", "\\r\\n\\r", "abcdef\\n", "\\n\\n", "abcdefghijk"]] end},
     {line_binary, fun() -> trapping(fun() -> all(open_port({spawn, "printf 'a\\nb'"}, [{line, 10}, binary, exit_status])) end) end},
     {long_line, fun() -> trapping(fun() ->
          P = sh("head -c 3000000 /dev/zero | tr '\\0' x; echo", [{line, 1 bsl 30}, binary, exit_status]),
          [case M of {data, {K, B}} -> {K, byte_size(B)}; _ -> M end || M <- all(P)] end) end},
     {packets, fun() -> trapping(fun() ->
          P = open_port({spawn, "cat"}, [{packet, 2}, binary]),
          [port_command(P, X) || X <- [[], "one", binary:copy(<<"z">>, 65535), [$a, <<"bc">>]]],
          [receive {P, {data, D}} -> {byte_size(D), erlang:md5(D)} after 20000 -> none end || _ <- [1, 2, 3, 4]] end) end},
     {packet_cut_off, fun() -> trapping(fun() -> all(open_port({spawn, "printf ab"}, [eof, exit_status, {packet, 2}])) end) end},
     {packet_too_long, fun() -> [trapping(fun() ->
          P = open_port({spawn, "cat"}, [{packet, N}]), R = cr(fun() -> port_command(P, binary:copy(<<1>>, 70000)) end), {R, all(P)} end) || N <- [1, 2]] end},
     {packet_too_long_message, fun() -> trapping(fun() -> P = open_port({spawn, "cat"}, [{packet, 1}]), P ! {self(), {command, lists:duplicate(256, 1)}}, all(P) end) end},
     {only_in, fun() -> trapping(fun() -> P = open_port({spawn, "sleep 5"}, [in]), R = cr(fun() -> port_command(P, "x") end), {R, all(P)} end) end},
     {fd_only_in, fun() -> trapping(fun() -> P = open_port({fd, 300, 301}, [out]), R = cr(fun() -> port_command(P, "x") end), {R, all(P)} end) end},
     {nobody_reads, fun() -> trapping(fun() ->
          P = sh("exec <&-; echo go; exec sleep 20", [exit_status]), receive {P, {data, "go\n"}} -> ok end,
          [R] = lists:usort([catch port_command(P, "x") || _ <- [1]]), {R, all(P)} end) end},
     {status_after_output_ends, fun() -> trapping(fun() -> all(sh("exec >&-; sleep 0.3; exit 3", [exit_status])) end) end},
     {end_without_status, fun() -> trapping(fun() ->
          T = erlang:monotonic_time(millisecond), R = all(sh("exec >&- 2>&-; exec sleep 20", [])), {R, erlang:monotonic_time(millisecond) - T < 15000} end) end},
     {only_out_tells_nothing, fun() -> trapping(fun() -> all(sh("exit 3", [out, exit_status]), 500) end) end},
     {killed_by_signal, fun() -> trapping(fun() -> all(sh("kill -9 $$", [exit_status, eof])) end) end},
     {bad_data, fun() -> trapping(fun() ->
          P = open_port({spawn, "cat"}, []), R = [cr(fun() -> port_command(P, D) end) || D <- [a, [256], [a], 1]],
          port_command(P, "still here"), {R, receive {P, {data, D}} -> D after 20000 -> none end} end) end},
     {bad_option, fun() -> trapping(fun() -> P = open_port({spawn, "cat"}, []), [cr(fun() -> port_command(P, "x", O) end) || O <- [[foo], [force], [nosuspend], [force, nosuspend], foo]] end) end},
     {badsig_to_owner, fun() -> trapping(fun() ->
          Owner = self(), P = open_port({spawn, "cat"}, []),
          {S, R} = spawn_monitor(fun() -> process_flag(trap_exit, true), P ! {self(), close}, receive {'EXIT', P, W} -> exit({sender, W}) after 300 -> exit(nothing) end end),
          Sender = receive {'DOWN', R, process, S, W} -> W end,
          Own = receive {'EXIT', P, X} -> X after 20000 -> none end,
          More = [begin P ! M, receive {'EXIT', P, X2} -> X2 after 20000 -> none end end || M <- [foo, {Owner, zzz}, {Owner, {command, foo}}, {Owner, {connect, x}}]],
          {Sender, Own, More, is_list(erlang:port_info(P))} end) end},
     {exit_kill, fun() -> trapping(fun() -> [begin P = open_port({spawn, "cat"}, []), exit(P, W), all(P, 500) end || W <- [kill, normal, die]] end) end},
     {link_closed, fun() -> trapping(fun() ->
          P = open_port({spawn, "cat"}, []), unlink(P), port_close(P), R = cr(fun() -> link(P) end), M = all(P),
          process_flag(trap_exit, false), {R, M, cr(fun() -> link(P) end)} end) end},
     {busy, fun() -> trapping(fun() ->
          B = binary:copy(<<"y">>, 1000000), P = sh("exec sleep 20", [binary]),
          R = [port_command(P, B, [nosuspend]) || _ <- [1, 2, 3]], {queue_size, Q} = erlang:port_info(P, queue_size),
          {W, M} = spawn_monitor(fun() -> port_command(P, "x") end), S = receive {'DOWN', M, _, W, Y} -> Y after 300 -> waits end,
          {R, Q > 500000, Q < 1000000, S, cr(fun() -> port_command(P, B, [force]) end), port_close(P), receive {'DOWN', M, _, W, {Y2, _}} -> Y2; {'DOWN', M, _, W, Y2} -> Y2 after 20000 -> hangs end} end) end},
     {busy_message, fun() -> trapping(fun() ->
          B = binary:copy(<<"y">>, 4000000), P = slow_reader(), Me = self(),
          P ! {Me, {command, B}}, false = port_command(P, B, [nosuspend]),
          {W, M} = spawn_monitor(fun() -> P ! {Me, {command, "x"}}, exit(sent) end), S = receive {'DOWN', M, _, W, Y} -> Y after 300 -> waits end,
          P ! {self(), close}, {S, receive {'DOWN', M, _, W, Y2} -> Y2 after 20000 -> hangs end, receive {P, X} -> X after 20000 -> none end} end) end},
     {busy_no_more, fun() -> trapping(fun() ->
          P = sh("wc -c", [binary, exit_status]), [port_command(P, binary:copy(<<"y">>, 1000000)) || _ <- lists:seq(1, 5)],
          R = [port_command(P, "x") || _ <- [1, 2]], port_close(P), R end) end},
     {busy_limits, fun() -> [begin P = open_port({spawn, "cat"}, [{busy_limits_port, L}]), is_port(P) andalso port_close(P) end || L <- [disabled, {1, 2}, {2000, 1000}]] end},
     {written_after_close, fun() ->
          F = filename:absname("t_port_left"), P = sh("sleep 0.3; cat > " ++ F ++ ".tmp; mv " ++ F ++ ".tmp " ++ F, [binary]),
          port_command(P, binary:copy(<<"z">>, 500000)), port_close(P), wait_for(F, 400), {ok, B} = file:read_file(F), file:delete(F), byte_size(B) end},
     {nothing_after_close, fun() ->
          [begin P = open_port({spawn, "yes"}, [binary, stderr_to_stdout]), receive {P, {data, _}} -> ok end, port_close(P), flush(P), receive {P, {data, _}} -> late after 5 -> ok end end || _ <- lists:seq(1, 20)] end},
     {no_zombies, fun() ->
          [begin P = open_port({spawn_executable, "/usr/bin/yes"}, [binary, stderr_to_stdout]), timer:sleep(5), port_close(P), flush(P) end || _ <- lists:seq(1, 5)],
          no_zombies(200) end},
     {no_status_after_close, fun() -> P = open_port({spawn, "cat"}, [exit_status]), port_close(P), receive {P, X} -> X after 300 -> none end end},
     {stands_alone, fun() ->
          {os:cmd("ps -o pid=,pgid=,sid= -p $$ | awk '{print ($1==$2), ($1==$3)}'"),
           os:cmd("ls -l /proc/$$/fd | awk 'NR > 1 {print $9}' | sort -n | tr '\\n' ' '"),
           os:cmd("sh -c 'kill -PIPE $$; echo ignored' || echo default")} end},
     {stdio_elsewhere, fun() -> trapping(fun() -> P = sh("cat <&3 >&4", [nouse_stdio, binary]), port_command(P, "through"), R = receive {P, {data, D}} -> D after 20000 -> none end, port_close(P), R end) end},
     {stdio_one_way, fun() -> trapping(fun() ->
          %% What there is to read from and to write to.
          Show = fun(O) -> F = "t_port_fds" ++ os:getpid(), P = sh("test -e /proc/$$/fd/3 && a=3; test -e /proc/$$/fd/4 && b=4; echo $a $b > " ++ F ++ "; exit 0", [nouse_stdio, exit_status | O]),
              receive {P, {exit_status, 0}} -> ok after 20000 -> late end, {ok, B} = file:read_file(F), ok = file:delete(F), B end,
          [Show([in]), Show([out]), Show([in, out])] end) end},
     {held_up, fun() -> trapping(fun() ->
          B = binary:copy(<<"y">>, 1000000), P = sh("exec sleep 20", [binary]), [port_command(P, B, [nosuspend]) || _ <- [1, 2, 3]],
          W = spawn(fun() -> port_command(P, "x") end), R = held_up(W, 400), exit(W, kill), port_close(P), R end) end},
     {monitor_elsewhere, fun() -> P = binary_to_term(<<131, 102, 100, 0, 13, "fgsfds@fgsfds", 1:32, 0>>), cr(fun() -> erlang:monitor(port, P) end) end},
     {owner_dies, fun() ->
          S = self(), {W, M} = spawn_monitor(fun() -> P = open_port({spawn, "cat"}, []), S ! P, receive stop -> ok end end),
          P = receive X when is_port(X) -> X end, W ! stop, receive {'DOWN', M, _, _, _} -> ok end, gone(P, 200) end}].

wait_for(_, 0) -> none;
wait_for(F, N) -> case filelib:is_file(F) of true -> ok; false -> timer:sleep(50), wait_for(F, N - 1) end.

held_up(_, 0) -> never;
held_up(W, N) -> case process_info(W, status) of {status, suspended} -> held_up; _ -> timer:sleep(20), held_up(W, N - 1) end.

flush(P) -> receive {P, _} -> flush(P) after 0 -> ok end.

gone(P, 0) -> erlang:port_info(P);
gone(P, N) -> case erlang:port_info(P) of undefined -> undefined; _ -> timer:sleep(20), gone(P, N - 1) end.
