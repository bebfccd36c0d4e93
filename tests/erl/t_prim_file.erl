%% Files below the file server: handles, buffers, names, and what is answered to numbers and paths that
%% make no sense.
-module(t_prim_file).
-include("diff.hrl").

w(N, D) -> ok = file:write_file(N, D).

raw(Modes, F) ->
    w("raw", "0123456789"),
    {ok, Fd} = file:open("raw", [raw, binary | Modes]),
    try F(Fd) after file:close(Fd) end.

%% Numbers that are no sizes or places.
odd() -> [-1, 1.5, -0.5, 1 bsl 50, 1 bsl 63, 1 bsl 64, -(1 bsl 70), a].

each(F) -> [{N, cr(fun() -> F(id(N)) end)} || N <- odd()].

access(Modes) ->
    {ok, Fd} = file:open("acc", Modes),
    {ok, I} = file:read_file_info(Fd),
    ok = file:close(Fd),
    element(4, I).

cases() ->
    [{buffer_lock, fun() -> B = prim_buffer:new(), [cr(fun() -> F(B) end) || F <- [fun prim_buffer:try_lock/1, fun prim_buffer:try_lock/1, fun prim_buffer:unlock/1, fun prim_buffer:unlock/1, fun prim_buffer:try_lock/1]] end},
     {buffer, fun() -> B = prim_buffer:new(), [cr(F) || F <- [fun() -> prim_buffer:read(B, 0) end, fun() -> prim_buffer:read(B, 1) end, fun() -> prim_buffer:write(B, [<<"abc">>, <<"de">>]) end, fun() -> prim_buffer:size(B) end, fun() -> prim_buffer:find_byte_index(B, $d) end, fun() -> prim_buffer:find_byte_index(B, $x) end, fun() -> prim_buffer:find_byte_index(B, 256) end, fun() -> prim_buffer:read(B, 2) end, fun() -> prim_buffer:read_iovec(B, 2) end, fun() -> prim_buffer:read(B, 2) end, fun() -> prim_buffer:read(B, -1) end, fun() -> prim_buffer:write(B, ["x"]) end, fun() -> prim_buffer:wipe(B) end, fun() -> prim_buffer:size(B) end]] end},
     {delayed_write, fun() -> {ok, F} = file:open("dw", [write, raw, {delayed_write, 20, 10000}]), R = [file:write(F, binary:copy(<<"x">>, N)) || N <- [1, 5, 0, 14, 100, 3, 16, 1, 19, 20, 21]], {R, file:close(F), filelib:file_size("dw")} end},
     {odd_read, fun() -> raw([read], fun(F) -> each(fun(N) -> prim_file:read(F, N) end) end) end},
     {odd_pread, fun() -> raw([read], fun(F) -> each(fun(N) -> prim_file:pread(F, N, 1) end) ++ each(fun(N) -> prim_file:pread(F, 0, N) end) end) end},
     {odd_pwrite, fun() -> raw([read, write], fun(F) -> each(fun(N) when N =:= 1 bsl 50 -> skipped; (N) -> prim_file:pwrite(F, N, "a") end) end) end},
     {odd_allocate, fun() -> raw([read, write], fun(F) -> each(fun(N) -> file:allocate(F, N, 1) end) ++ each(fun(N) -> file:allocate(F, 0, N) end) end) end},
     {odd_advise, fun() -> raw([read], fun(F) -> [file:advise(F, 0, 1, foo), file:advise(F, 0, 1, 1) | each(fun(N) -> file:advise(F, N, 1, normal) end)] ++ each(fun(N) -> file:advise(F, 0, N, normal) end) end) end},
     {odd_ipread, fun() -> raw([read], fun(F) -> each(fun(N) -> prim_file:ipread_s32bu_p32bu(F, N, 1) end) ++ each(fun(N) -> prim_file:ipread_s32bu_p32bu(F, 0, N) end) end) end},
     {odd_position, fun() -> raw([read], fun(F) -> each(fun(N) -> prim_file:position(F, N) end) end) end},
     {read_nothing, fun() -> raw([read], fun(F) -> [prim_file:read(F, 0), prim_file:pread(F, 0, 0), prim_file:pread(F, 10, 0), file:read(F, 0), file:pread(F, [{0, 0}])] end) end},
     {odd_owner, fun() -> w("ow", ""), each(fun(N) -> prim_file:write_file_info("ow", {file_info, undefined, undefined, undefined, undefined, undefined, undefined, undefined, undefined, undefined, undefined, undefined, N, undefined}) end) end},
     {odd_mode, fun() -> w("mo", ""), [cr(fun() -> file:change_mode("mo", id(N)) end) || N <- [8#644, 8#1777, 8#7777, 8#177777, -1, 1 bsl 31, 1 bsl 32, 1 bsl 64]] end},
     {modes, fun() -> w("mo2", ""), [begin ok = file:change_mode("mo2", N), {ok, I} = file:read_file_info("mo2"), element(8, I) band 8#7777 end || N <- [8#644, 8#1777, 8#6777, 8#4711, 8#600]] end},
     {early_times, fun() -> w("et", ""), [begin ok = prim_file:write_file_info("et", {file_info, undefined, undefined, undefined, T, T, 0, undefined, undefined, undefined, undefined, undefined, undefined, undefined}), {ok, I} = file:read_file_info("et", [{time, posix}]), {element(5, I), element(6, I)} end || T <- [0, -1, -2145916800, -2145916801, -3000000000, 5000000000]] end},
     {handle_access, fun() -> w("acc", ""), [begin ok = file:change_mode("acc", M), [access([O, raw]) || O <- [read, write]] end || M <- [8#644, 8#600, 8#444 bor 8#200]] end},
     {directory_handle, fun() -> file:make_dir("dh"), {ok, F} = file:open("dh", [read, raw, directory]), {ok, I} = file:read_file_info(F), R = [element(3, I), element(4, I), file:read(F, 1), file:close(F)], R ++ [file:open("raw", [read, raw, directory]), file:open("dh", [read, raw])] end},
     {skip_type_check, fun() -> file:make_dir("stc"), {ok, F} = file:open("stc", [read, raw, skip_type_check]), [file:read(F, 1), file:close(F)] end},
     {del_cwd, fun() -> {ok, D} = file:get_cwd(), file:make_dir("dc"), ok = file:set_cwd("dc"), w("x", ""), A = filename:join(D, "dc"), R = [file:del_dir(A), file:del_dir("."), file:del_dir("../dc")], ok = file:set_cwd(D), R ++ [file:del_dir("dc"), file:delete("dc/x"), file:del_dir("dc")] end},
     {rename_root, fun() -> file:make_dir("rr"), w("rf", ""), [file:rename("/", "rr2"), file:rename("/", "/"), file:rename("rr", "rr/x"), file:rename("rf", "rr"), file:rename("rr", "rf"), file:rename("rf", "rf")] end},
     {rename_full, fun() -> file:make_dir("ra"), file:make_dir("rb"), w("rb/f", ""), [file:rename("ra", "rb"), file:rename("rb", "ra"), filelib:is_dir("rb")] end},
     {atom_names, fun() -> [cr(F) || F <- [fun() -> prim_file:make_dir(id(abc)) end, fun() -> prim_file:rename("raw", id(abc)) end, fun() -> prim_file:internal_name2native(id(abc)) end, fun() -> prim_file:internal_name2native(id(["a", b])) end, fun() -> prim_file:internal_name2native(id(["a", [$b | "c"]])) end, fun() -> prim_file:internal_name2native(id([])) end, fun() -> prim_file:internal_name2native(id(<<"ab">>)) end, fun() -> file:read_file_info(id([a, $/, [$b]])) end, fun() -> file:make_dir(id(abc)) end, fun() -> os:putenv("X", ["a", b]) end, fun() -> open_port({spawn, ["a", b]}, []) end]] end},
     {native_names, fun() -> [cr(fun() -> prim_file:internal_native2name(id(B)) end) || B <- [<<>>, <<"abc">>, <<"abc", 0>>, <<0>>, <<"a", 0, "b">>, <<16#c3, 16#a5>>, <<16#e5>>, <<1:3>>, "abc"]] end},
     {translatable, fun() -> [cr(fun() -> prim_file:is_translatable(id(B)) end) || B <- [<<>>, <<"abc">>, <<16#c3, 16#a5>>, <<16#e5>>, <<1:3>>, abc]] end}].
