%% Files and directories, the operating system and its environment.
-module(t_file).
-include("diff.hrl").

w(N, D) -> ok = file:write_file(N, D).

finfo(N) ->
    {ok, I} = file:read_file_info(N),
    {element(2, I), element(3, I), element(4, I)}.

cases() ->
    [{write_read, fun() -> w("a.txt", "hello"), [file:read_file("a.txt"), w("a.txt", [<<"x">>, "y", [$z]]), file:read_file(<<"a.txt">>)] end},
     {read_missing, fun() -> [file:read_file("no/such"), file:open("no/such", [read]), file:read_file_info("nope"), file:consult("nope")] end},
     {write_bad, fun() -> [file:write_file("x/y/z", "d"), file:write_file("b.txt", [a]), file:write_file("", "d"), file:read_file([300000000]), file:read_file(id({a})), file:read_file("a\0b")] end},
     {append, fun() -> w("c.txt", "one"), ok = file:write_file("c.txt", "two", [append]), file:read_file("c.txt") end},
     {exclusive, fun() -> file:delete("d.txt"), [file:write_file("d.txt", "1", [exclusive]), file:write_file("d.txt", "2", [exclusive])] end},
     {open_read, fun() -> w("e.txt", "line1\nline2\nrest"), {ok, F} = file:open("e.txt", [read]), R = [file:read_line(F), file:read(F, 3), file:read_line(F), file:read(F, 100), file:read(F, 1), file:read_line(F)], file:close(F), R end},
     {open_raw, fun() -> w("e.txt", "line1\nline2\nrest"), {ok, F} = file:open("e.txt", [read, raw, binary]), R = [file:read(F, 3), file:position(F, cur), file:read_line(F), file:read(F, 100), file:read(F, 1), file:close(F)], R end},
     {read_ahead, fun() -> w("e.txt", "line1\nline2\nrest"), {ok, F} = file:open("e.txt", [read, raw, read_ahead]), R = [file:read_line(F), file:read_line(F), file:read_line(F), file:read_line(F)], file:close(F), R end},
     {delayed_write, fun() -> {ok, F} = file:open("f.txt", [write, raw, delayed_write]), [file:write(F, integer_to_list(I)) || I <- lists:seq(1, 100)], file:close(F), {ok, B} = file:read_file("f.txt"), {byte_size(B), erlang:md5(B)} end},
     {position, fun() -> w("g.txt", "0123456789"), {ok, F} = file:open("g.txt", [read, write, raw, binary]), R = [file:position(F, 3), file:read(F, 2), file:position(F, {cur, 2}), file:read(F, 1), file:position(F, {eof, -1}), file:read(F, 5), file:position(F, bof), file:position(F, {bof, 100}), file:position(F, -1), file:position(F, {foo, 1})], file:close(F), R end},
     {pread_pwrite, fun() -> w("h.txt", "0123456789"), {ok, F} = file:open("h.txt", [read, write, raw, binary]), R = [file:pread(F, 2, 3), file:pread(F, [{0, 1}, {5, 2}, {100, 1}]), file:pwrite(F, 4, "XX"), file:pwrite(F, [{0, "A"}, {12, "Z"}]), file:pread(F, 100, 1), file:pread(F, -1, 1)], file:close(F), {R, file:read_file("h.txt")} end},
     {ipread, fun() -> w("ip.bin", <<5:32, 40:32, 0:32, 8:32, 0:64, 9:32, 400:32, 0:64, "abcdefgh">>), {ok, F} = file:open("ip.bin", [read, raw, binary]), R = [file:ipread_s32bu_p32bu(F, At, Max) || {At, Max} <- [{0, 10}, {0, 5}, {0, 4}, {0, infinity}, {8, 10}, {8, 0}, {16, 10}, {24, 10}, {24, 1}, {44, 10}, {100, 10}]], file:close(F), R end},
     {truncate, fun() -> w("i.txt", "0123456789"), {ok, F} = file:open("i.txt", [read, write]), file:position(F, 4), R = file:truncate(F), file:close(F), {R, file:read_file("i.txt")} end},
     {write_closed, fun() -> {ok, F} = file:open("j.txt", [write, raw]), file:close(F), [file:write(F, "x"), file:close(F)] end},
     {write_readonly_handle, fun() -> w("k.txt", "x"), {ok, F} = file:open("k.txt", [read, raw]), R = file:write(F, "y"), file:close(F), R end},
     {read_writeonly_handle, fun() -> {ok, F} = file:open("k2.txt", [write, raw]), R = file:read(F, 1), file:close(F), R end},
     {open_modes_bad, fun() -> [cr(fun() -> file:open("z.txt", id(M)) end) || M <- [[foo], foo, [read, {encoding, bad}], []]] =/= x end},
     {open_dir, fun() -> file:make_dir("dd"), [file:open("dd", [read]), file:read_file("dd"), file:write_file("dd", "x")] end},
     {dirs, fun() -> [file:make_dir("d1"), file:make_dir("d1"), file:make_dir("d1/d2"), file:make_dir("q/w/e"), file:del_dir("d1"), file:del_dir("d1/d2"), file:del_dir("d1"), file:del_dir("d1")] end},
     {list_dir, fun() -> file:make_dir("ld"), [w("ld/" ++ N, "") || N <- ["b", "a", "c", ".h"]], {ok, L} = file:list_dir("ld"), [lists:sort(L), file:list_dir("nope"), file:list_dir("ld/a")] end},
     {list_dir_all, fun() -> file:make_dir("lu"), w("lu/" ++ [229, 8364], ""), {ok, L} = file:list_dir("lu"), {ok, M} = file:list_dir_all("lu"), {L, M} end},
     {rename, fun() -> w("r1", "x"), [file:rename("r1", "r2"), file:read_file("r2"), file:rename("nope", "r3"), file:rename("r2", "no/dir")] end},
     {delete, fun() -> w("del1", "x"), file:make_dir("deld"), [file:delete("del1"), file:delete("del1"), file:delete("deld")] end},
     {copy, fun() -> w("cp1", "content"), [file:copy("cp1", "cp2"), file:read_file("cp2"), file:copy("cp1", "cp3", 3), file:read_file("cp3"), file:copy("nope", "x")] end},
     {links, fun() -> w("l1", "x"), R = [file:make_symlink("l1", "l2"), file:read_link("l2"), file:read_file("l2"), file:make_symlink("l1", "l2"), file:read_link("l1"), file:make_link("l1", "l3"), file:read_file("l3")], {ok, I} = file:read_link_info("l2"), {R, element(3, I)} end},
     {link_dangling, fun() -> file:make_symlink("nowhere", "l5"), [file:read_file("l5"), file:read_file_info("l5"), element(1, file:read_link_info("l5"))] end},
     {file_info, fun() -> w("fi", "12345"), file:make_dir("fid"), [finfo("fi"), element(2, finfo("fid"))] end},
     {file_info_time, fun() -> w("ft", ""), [file:change_time("ft", {{2020, 1, 2}, {3, 4, 5}}), begin {ok, I} = file:read_file_info("ft"), element(6, I) end, begin {ok, J} = file:read_file_info("ft", [{time, posix}]), element(6, J) end] end},
     {chmod, fun() -> w("ch", ""), [file:change_mode("ch", 8#640), begin {ok, I} = file:read_file_info("ch"), element(8, I) band 8#777 end, file:change_mode("nope", 8#600)] end},
     {cwd, fun() -> {ok, D} = file:get_cwd(), file:make_dir("cwd"), ok = file:set_cwd("cwd"), {ok, E} = file:get_cwd(), file:set_cwd(D), [E =:= filename:join(D, "cwd"), file:set_cwd("nope/x")] end},
     {large_file, fun() -> B = binary:copy(<<"0123456789abcdef">>, 65536), w("big", B), {ok, C} = file:read_file("big"), {byte_size(C), C =:= B, filelib:file_size("big")} end},
     {script, fun() -> w("s.erl", "X = 5. \nX * 2.\n"), file:script("s.erl") end},
     {eval_path, fun() -> w("ev.erl", "A = 1.\nput(ev, A + 1).\n"), [file:eval("ev.erl"), get(ev)] end},
     {format_error, fun() -> [file:format_error(E) || E <- [enoent, eacces, eisdir, badarg, terminated, {3, erl_parse, ["x"]}]] end},
     {datasync, fun() -> {ok, F} = file:open("sync", [write, raw]), R = [file:write(F, "x"), file:sync(F), file:datasync(F), file:advise(F, 0, 0, sequential)], file:close(F), R end},
     {encoding_utf8, fun() -> {ok, F} = file:open("u8", [write, {encoding, utf8}]), io:put_chars(F, [229, 8364]), file:close(F), {ok, G} = file:open("u8", [read, {encoding, utf8}]), R = io:get_line(G, ""), file:close(G), {R, file:read_file("u8")} end},
     {encoding_latin1_bad, fun() -> {ok, F} = file:open("l1e", [write]), R = cr(fun() -> io:put_chars(F, [8364]) end), file:close(F), R end},
     {compressed, fun() -> {ok, F} = file:open("gz", [write, compressed]), file:write(F, "hello"), file:close(F), {ok, G} = file:open("gz", [read, compressed]), R = file:read(G, 100), file:close(G), {ok, B} = file:read_file("gz"), {R, binary:part(B, 0, 2)} end},
     {ram_file, fun() -> {ok, F} = file:open("abcdef", [ram, read, write, binary]), R = [file:read(F, 2), file:position(F, 4), file:write(F, "X"), file:pread(F, 0, 10)], file:close(F), R end},
     {ram_modes, fun() -> [begin {ok, F} = file:open(<<"abc">>, [ram | M]), R = [cr(fun() -> G(F) end) || G <- ram_ops()], ok = file:close(F), {M, R} end || M <- [[], [read], [write], [read, write], [binary], [read, write, binary]]] end},
     {ram_gap, fun() -> {ok, F} = file:open("ab", [ram, read, write, binary]), R = [file:pwrite(F, 5, "x"), ram_file:get_size(F), ram_file:get_file(F), file:position(F, 3), file:truncate(F), ram_file:get_file(F), file:position(F, {eof, 4}), file:truncate(F), ram_file:get_file(F), file:write(F, "yz"), ram_file:get_file(F)], file:close(F), R end},
     {ram_bad, fun() -> {ok, F} = file:open("ab", [ram, read, write]), R = [cr(fun() -> G(F) end) || G <- [fun(X) -> file:position(X, -1) end, fun(X) -> file:position(X, {cur, -5}) end, fun(X) -> file:position(X, 1 bsl 40) end, fun(X) -> file:pread(X, -1, 1) end, fun(X) -> file:pread(X, 1 bsl 31, 1) end, fun(X) -> file:pwrite(X, -1, "x") end, fun(X) -> file:write(X, [a]) end, fun(X) -> file:advise(X, 0, 1, foo) end]], file:close(F), {R, file:read(F, 1), file:write(F, "x"), file:close(F), file:open([a], [ram]), file:open("x", [ram, foo])} end},
     {ram_copy, fun() -> {ok, A} = file:open("hello", [ram, read]), {ok, B} = file:open("", [ram, read, write]), R = [file:copy(A, B, 3), ram_file:get_file(B), file:copy(A, B), ram_file:get_file(B), file:position(A, bof), file:copy(A, B, 0)], file:close(A), file:close(B), R end},
     {ram_driver, fun() -> P = open_port({spawn_driver, "ram_file_drv some words"}, [binary]), R = [begin port_command(P, C), receive {P, {data, D}} -> D after 50 -> none end end || C <- [<<1, 3:32, "abc">>, <<2, 2:32>>, <<2, 0:32>>, <<3, 0:32, 7:32>>, <<3, 1:32, 0:32>>, <<30>>, <<37>>, <<9>>, <<200>>, <<17, 0:32, -1:32>>, <<4>>, <<2, 9:32>>, <<2, 9:32>>]], I = [erlang:port_info(P, X) || X <- [name, input, output, os_pid]], port_close(P), {R, I, cr(fun() -> erlang:port_control(P, 1, "") end)} end},
     {ram_control, fun() -> P = open_port({spawn, "ram_file_drv"}, []), R = [cr(fun() -> erlang:port_control(P, 1, "") end), cr(fun() -> erlang:port_call(P, 1, x) end)], port_command(P, <<9>>), M = receive {P, D} -> D after 2000 -> none end, port_close(P), {R, M} end},
     {filelib, fun() -> file:make_dir("fl"), w("fl/a.x", "1"), w("fl/b.y", "22"), file:make_dir("fl/c"), w("fl/c/d.x", "3"), [filelib:is_file("fl/a.x"), filelib:is_dir("fl"), filelib:is_regular("fl"), filelib:wildcard("fl/*"), filelib:wildcard("fl/**/*.x"), filelib:wildcard("fl/{a,b}.?"), filelib:fold_files("fl", "\\.x$", true, fun(_, N) -> N + 1 end, 0), filelib:file_size("fl/b.y"), filelib:ensure_dir("fl/p/q/r"), filelib:is_dir("fl/p/q")] end},
     {del_dir_r, fun() -> filelib:ensure_dir("dr/a/b/c"), w("dr/a/f", ""), [file:del_dir_r("dr"), filelib:is_dir("dr"), file:del_dir_r("dr")] end},
     {io_server_dies, fun() -> {ok, F} = file:open("dies", [write]), exit(F, kill), timer:sleep(5), [file:write(F, "x"), cr(fun() -> io:format(F, "x", []) end)] end},
     {owner_dies, fun() -> S = self(), {P, R} = spawn_monitor(fun() -> {ok, F} = file:open("own", [write]), S ! F end), F = receive X when is_pid(X) -> X end, receive {'DOWN', R, _, P, _} -> ok end, M = monitor(process, F), receive {'DOWN', M, _, _, _} -> gone after 1000 -> alive end end},
     {raw_wrong_owner, fun() -> {ok, F} = file:open("raww", [write, raw]), S = self(), spawn(fun() -> S ! {r, cr(fun() -> file:write(F, "x") end)} end), receive {r, R} -> R end end},
     {getenv, fun() -> [os:putenv("T_FILE_VAR", "value"), os:getenv("T_FILE_VAR"), os:unsetenv("T_FILE_VAR"), os:getenv("T_FILE_VAR"), os:getenv("T_FILE_VAR", "dflt")] end},
     {putenv_bad, fun() -> [cr(fun() -> os:putenv(id(K), id(V)) end) || {K, V} <- [{"A=B", "x"}, {a, "x"}, {"A", 1}, {"A\0", "x"}]] ++ [cr(fun() -> os:getenv(id(1)) end)] end},
     {putenv_unicode, fun() -> os:putenv("T_FILE_U", [229, 8364]), os:getenv("T_FILE_U") end},
     {env_list, fun() -> os:putenv("T_FILE_L", "zz"), {lists:member("T_FILE_L=zz", os:getenv()), lists:keyfind("T_FILE_L", 1, os:env())} end},
     {cmd, fun() -> [os:cmd("echo hello"), os:cmd("printf 'a\\nb'"), os:cmd("exit 3"), os:cmd("echo err 1>&2"), os:cmd("cat < /dev/null")] end},
     {cmd_env, fun() -> os:putenv("T_FILE_C", "seen"), os:cmd("echo $T_FILE_C") end},
     {cmd_big, fun() -> length(os:cmd("head -c 200000 /dev/zero | tr '\\0' x")) end},
     {cmd_unicode, fun() -> os:cmd("echo åäö") end},
     {os_type, fun() -> [os:type(), tuple_size(os:version()), is_list(os:getpid())] end},
     {find_executable, fun() -> [os:find_executable("sh") =/= false, os:find_executable("no_such_prog_xyz")] end},
     {os_time, fun() -> {os:system_time(second) > 1600000000, tuple_size(os:timestamp()), is_integer(os:perf_counter())} end},
     {port_spawn, fun() -> P = open_port({spawn, "cat"}, [binary, use_stdio]), port_command(P, "ping"), R = receive {P, {data, D}} -> D after 2000 -> none end, port_close(P), R end},
     {port_executable, fun() -> P = open_port({spawn_executable, os:find_executable("sh")}, [{args, ["-c", "echo $0 $1; exit 7", "x y", "z"]}, exit_status, {line, 100}]), [receive {P, M} -> M after 2000 -> none end, receive {P, M2} -> M2 after 2000 -> none end] end},
     {port_packet, fun() -> P = open_port({spawn, "cat"}, [binary, {packet, 2}]), [port_command(P, X) || X <- ["one", "two", binary:copy(<<"z">>, 5000)]], R = [receive {P, {data, D}} -> byte_size(D) after 2000 -> none end || _ <- [1, 2, 3]], port_close(P), R end},
     {port_line, fun() -> P = open_port({spawn, "printf 'ab\\ncdefgh\\ni'"}, [{line, 4}, exit_status]), port_lines(P) end},
     {port_eof, fun() -> P = open_port({spawn, "true"}, [eof]), receive {P, eof} -> eof after 2000 -> none end end},
     {port_env_cd, fun() -> file:make_dir("pcd"), P = open_port({spawn, "sh -c 'echo $PV; basename $PWD'"}, [{env, [{"PV", "pv"}]}, {cd, "pcd"}, stream, exit_status]), port_all(P, []) end},
     {port_bad, fun() -> [cr(fun() -> open_port(id(A), id(B)) end) || {A, B} <- [{{spawn, "no_such_cmd_zz"}, [foo]}, {{spawn_executable, "/no/such"}, []}, {foo, []}, {{spawn, ""}, []}]] end},
     {port_bad_name, fun() -> [opened(A, []) || A <- [{spawn, <<>>}, {spawn_driver, ""}, {spawn_driver, "nope"}, {spawn_driver, "ram_file_drvx"}, {spawn_executable, ""}, {spawn_executable, <<>>}, {spawn_executable, "/etc/passwd/x"}, {spawn_executable, "/"}, {spawn, 1}, {spawn, [0]}, {spawn, "a\0b"}, {spawn, [-1]}, {spawn, [a | b]}, <<"foo">>, 1, {}, {spawn}, {spawn, "cat", x}, {foo, "cat"}, {fd, 0}, {fd, a, 1}, {fd, -1, 1}, {fd, 0, 1 bsl 31}, {fd, 1 bsl 70, 1}]] end},
     {port_bad_option, fun() -> [opened({spawn, "true"}, B) || B <- [foo, [in | out], [{packet, 3}], [{packet, 1}, {line, 3}], [{line, 0}], [nouse_stdio, stderr_to_stdout], [{args, ["x"]}], [{arg0, "x"}], [{cd, 1}], [{cd, 1}, foo], [{env, 1}], [{env, [a]}], [{env, [{"a=", false}]}], [{env, [{"=a", "b"}]}], [{env, [{"a", 1}]}], [{env, [{a, "b"}]}], [{env, [{"a", <<"b">>}]}], [{env, [{"a", "b\0c"}]}], [{parallelism, 1}], [{busy_limits_port, 1}], [{busy_limits_msgq, {1, 0}}], [{busy_limits_port, {0, 1}}], [{busy_limits_port, {1, 1 bsl 64}}], [{foo, 1}], [{a, 1, 2}], ["x"]]] end},
     {port_bad_arguments, fun() -> [opened({spawn_executable, os:find_executable("echo")}, B) || B <- [[{args, x}], [{args, [1]}], [{args, ["a" | b]}], [{args, ["a\0b"]}], [{arg0, 1}], [{args, [a, <<"b", 0, "c">>, ["d", [$e]]]}], [{args, ["a"]}, {args, ["b"]}]]] end},
     {port_bad_driver, fun() -> [opened(A, B) || {A, B} <- [{{spawn_driver, "ram_file_drv"}, [exit_status]}, {{spawn, "ram_file_drv"}, [{busy_limits_port, disabled}]}, {{spawn_driver, "ram_file_drv"}, [{args, []}]}, {{fd, 0, 1}, [exit_status]}, {{fd, 0, 1}, [{args, []}]}, {{fd, 0, 1}, [{cd, 1}]}, {{spawn_driver, "ram_file_drv"}, [{cd, "/no/such"}]}]] end},
     {port_ends, fun() -> [opened(A, B) || {A, B} <- [{{spawn, "true"}, [exit_status, eof]}, {{spawn, "true"}, [eof]}, {{spawn, "sh -c 'exit 3'"}, [exit_status]}, {{spawn, "sh -c 'kill -9 $$'"}, [exit_status]}, {{spawn_executable, "/"}, [exit_status]}, {{spawn, "true"}, [{cd, "/no/such"}, exit_status]}, {{spawn, "true"}, [out, exit_status]}, {{spawn, "sh -c 'echo $0'"}, []}, {{spawn, <<"echo hi", 0, "x">>}, []}, {{spawn, "pwd"}, [{cd, "/"}]}, {{spawn, "pwd"}, [{cd, '/'}]}]] end},
     {port_framing, fun() -> [opened(A, B) || {A, B} <- [{{spawn, "echo abcdef"}, [{line, 3}, {line, 4}]}, {{spawn, "echo abcdef"}, [{line, 3}, stream]}, {{spawn, "printf '\\001a'"}, [{packet, 1}, stream]}, {{spawn, "printf '\\000\\001a'"}, [{packet, 1}, {packet, 2}]}, {{spawn, "echo abc"}, [{packet, 2}, stream, {line, 2}]}, {{spawn, "echo a"}, [line]}, {{spawn, "echo a"}, [line, binary]}]] end},
     {port_env, fun() -> [opened({spawn, "sh -c 'echo $T_A'"}, B) || B <- [[{env, [{"T_A", []}]}], [{env, [{"T_A", ["a", $b]}]}], [{env, [{"T_A", "a"}]}, {env, []}], [{env, [{["T_", $A], "a"}]}], [{env, [{"T_A", "a"}, {"T_A", false}]}]]] end},
     {port_file, fun() -> w("pf", "abc"), [opened(A, B) || {A, B} <- [{pf, []}, {"pf", [in, binary]}, {"pf", [eof]}, {"no/such", []}, {"nosuch", [in]}, {"", []}, {pf, [exit_status]}, {pf, [foo]}, {[256], []}]] ++ [filelib:is_file("no")] end},
     {port_file_write, fun() -> w("pfw", "abc"), case cr(fun() -> open_port(pfw, [out]) end) of {ok, P} -> port_command(P, "xy"), port_close(P), timer:sleep(50), file:read_file("pfw"); E -> E end end},
     {port_info, fun() -> P = open_port({spawn, "cat"}, []), R = [erlang:port_info(P, name), element(1, erlang:port_info(P, id)), erlang:port_info(P, connected) =:= {connected, self()}, is_integer(element(2, erlang:port_info(P, os_pid))), lists:member(P, erlang:ports())], port_close(P), {R, erlang:port_info(P), cr(fun() -> port_command(P, "x") end)} end},
     {port_connect, fun() -> S = self(), P = open_port({spawn, "cat"}, []), Q = spawn(fun() -> receive go -> ok end, P ! {self(), {command, "hi"}}, receive {P, {data, D}} -> S ! {got, D} end end), port_connect(P, Q), unlink(P), Q ! go, receive M -> M after 2000 -> none end end},
     {port_closed_message, fun() -> P = open_port({spawn, "cat"}, []), P ! {self(), close}, receive {P, closed} -> closed after 2000 -> none end end},
     {port_exit_signal, fun() -> process_flag(trap_exit, true), P = open_port({spawn, "cat"}, []), port_close(P), receive {'EXIT', P, R} -> R after 500 -> none end end},
     {port_monitor, fun() -> P = open_port({spawn, "cat"}, []), R = erlang:monitor(port, P), port_close(P), receive {'DOWN', R, port, P, W} -> W after 500 -> none end end}].

port_lines(P) -> receive {P, {exit_status, S}} -> [{exit, S}]; {P, {data, D}} -> [D | port_lines(P)] after 2000 -> [timeout] end.
port_all(P, A) -> receive {P, {exit_status, S}} -> {S, lists:append(lists:reverse(A))}; {P, {data, D}} -> port_all(P, [D | A]) after 2000 -> timeout end.

%% What a port says that can perhaps be opened.
opened(A, B) ->
    process_flag(trap_exit, true),
    case cr(fun() -> open_port(id(A), id(B)) end) of
        {ok, P} -> R = said(P), catch port_close(P), receive {'EXIT', P, _} -> ok after 0 -> ok end, R;
        E -> E
    end.

said(P) -> receive {P, M} -> [M | said(P)]; {'EXIT', P, W} -> [{exit, W}] after 300 -> [] end.

ram_ops() ->
    [fun(F) -> file:read(F, 2) end, fun(F) -> file:read(F, 0) end, fun(F) -> file:read(F, 9) end, fun(F) -> file:read(F, 1) end,
     fun(F) -> file:position(F, cur) end, fun(F) -> file:position(F, {eof, -1}) end, fun(F) -> file:position(F, {bof, 1}) end,
     fun(F) -> file:write(F, <<"XYZ">>) end, fun(F) -> file:write(F, []) end, fun(F) -> file:pread(F, 1, 2) end, fun(F) -> file:pread(F, 9, 2) end,
     fun(F) -> file:pread(F, [{0, 1}, {9, 1}, {1, 0}]) end, fun(F) -> file:pwrite(F, 0, ["p", <<"q">>]) end, fun(F) -> file:pwrite(F, [{1, "r"}, {7, "s"}]) end,
     fun(F) -> file:truncate(F) end, fun(F) -> file:sync(F) end, fun(F) -> file:datasync(F) end, fun(F) -> file:advise(F, 0, 2, normal) end,
     fun(F) -> file:allocate(F, 0, 9) end, fun(F) -> ram_file:get_size(F) end, fun(F) -> ram_file:get_file(F) end, fun(F) -> file:read_line(F) end].
