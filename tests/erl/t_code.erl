%% Code loading: versions, purge, on_load, module information.
-module(t_code).
-export([local/0]).
-include("diff.hrl").

local() -> ok.

%% Compiles a module from the text of its forms.
make(Text) ->
    {ok, Tokens, _} = erl_scan:string(Text),
    Forms = [begin {ok, F} = erl_parse:parse_form(T), F end || T <- split(Tokens, [])],
    {ok, M, B} = compile:forms(Forms, [deterministic]),
    {M, B}.

split([], []) -> [];
split([{dot, _} = D | T], A) -> [lists:reverse([D | A]) | split(T, [])];
split([H | T], A) -> split(T, [H | A]).

load(Text) -> {M, B} = make(Text), {module, M} = code:load_binary(M, atom_to_list(M) ++ ".erl", B), M.
drop(M) -> code:purge(M), code:delete(M), code:purge(M).

%% Purges when nobody runs the old version; a hard purge may catch a process that was about to enter it.
wait_purge(M) -> code:soft_purge(M) orelse begin receive after 1 -> ok end, wait_purge(M) end.

v(N) -> load("-module(t_code_v). -export([v/0, loop/0, f/0]). v() -> " ++ integer_to_list(N) ++ ". loop() -> receive {P, v} -> P ! " ++ integer_to_list(N) ++ ", loop(); {P, up} -> P ! up, t_code_v:loop(); stop -> ok end. f() -> fun() -> " ++ integer_to_list(N) ++ " end.").

ask(P) -> P ! {self(), v}, receive X -> X after 1000 -> none end.

cases() ->
    [{fun_info_after_purge, fun() -> v(1), F = t_code_v:f(), A = erlang:fun_info(F, name), drop(t_code_v), {A, erlang:fun_info(F, name), erlang:fun_info(F, arity), erlang:fun_info(F, env)} end},
     {fun_read_before_load, fun() -> v(1), F = t_code_v:f(), B = term_to_binary({F, F}), drop(t_code_v), {G, H} = binary_to_term(B), A = cr(fun() -> G() end), v(1), R = {element(1, A), G(), G =:= H, G =:= t_code_v:f(), erlang:phash2(G) =:= erlang:phash2(t_code_v:f())}, drop(t_code_v), R end},
     {fun_of_nobody_kept, fun() -> <<131, 112, S:32, A, _:16/binary, Rest/binary>> = term_to_binary(fun(X) -> X end), F = binary_to_term(<<131, 112, S:32, A, 0:128, Rest/binary>>), T = ets:new(t, []), ets:insert(T, {k, F}), P = self(), spawn(fun() -> P ! F end), G = receive X -> X end, garbage_collect(), [{k, H}] = ets:lookup(T, k), {F =:= G, F =:= H, erlang:fun_info(G, env), is_function(H, 1), cr(fun() -> H(1) end) =/= ok} end},
     {literal_fun_pid, fun() -> v(1), F = t_code_v:f(), P = erlang:fun_info(F, pid), drop(t_code_v), P =:= {pid, self()} end},
     {bad_attributes_refused, fun() -> {M, B} = make("-module(t_code_attr). -export([f/0]). f() -> 1."), {ok, M, Cs} = beam_lib:all_chunks(B), {ok, Bad} = beam_lib:build_module(lists:keystore("Attr", 1, Cs, {"Attr", <<"no term">>})), code:load_binary(M, "", Bad) end},
     {load_call, fun() -> load("-module(t_code_a). -export([f/1]). f(X) -> {got, X}."), R = t_code_a:f(1), drop(t_code_a), R end},
     {load_twice, fun() -> v(1), A = t_code_v:v(), v(2), B = t_code_v:v(), drop(t_code_v), [A, B] end},
     {old_code_runs, fun() -> v(1), P = spawn(t_code_v, loop, []), A = ask(P), v(2), B = ask(P), P ! {self(), up}, receive up -> ok end, C = ask(P), P ! stop, drop(t_code_v), [A, B, C] end},
     {purge_kills_old, fun() -> v(1), P = spawn(t_code_v, loop, []), ask(P), R = monitor(process, P), v(2), X = code:purge(t_code_v), W = receive {'DOWN', R, _, _, Y} -> Y after 1000 -> alive end, drop(t_code_v), {X, W} end},
     {soft_purge, fun() -> v(1), P = spawn(t_code_v, loop, []), ask(P), v(2), A = code:soft_purge(t_code_v), P ! stop, R = monitor(process, P), receive {'DOWN', R, _, _, _} -> ok end, B = code:soft_purge(t_code_v), drop(t_code_v), {A, B} end},
     {third_version_refused, fun() -> v(1), P = spawn(t_code_v, loop, []), ask(P), v(2), {M, B} = make("-module(t_code_v). -export([v/0]). v() -> 3."), R = erlang:load_module(M, B), P ! stop, drop(t_code_v), R end},
     {check_process_code, fun() -> v(1), P = spawn(t_code_v, loop, []), ask(P), A = erlang:check_process_code(P, t_code_v), v(2), B = erlang:check_process_code(P, t_code_v), P ! {self(), up}, receive up -> ok end, C = erlang:check_process_code(P, t_code_v), P ! stop, drop(t_code_v), [A, B, C] end},
     {check_old_code, fun() -> v(1), A = erlang:check_old_code(t_code_v), v(2), B = erlang:check_old_code(t_code_v), drop(t_code_v), [A, B, c(fun() -> erlang:check_old_code(id(1)) end)] end},
     {fun_from_old, fun() -> v(1), F = t_code_v:f(), v(2), A = F(), G = t_code_v:f(), B = G(), drop(t_code_v), [A, B] end},
     {fun_after_purge, fun() -> v(1), F = t_code_v:f(), drop(t_code_v), cr(fun() -> F() end) end},
     {ext_fun_survives, fun() -> v(1), F = fun t_code_v:v/0, A = F(), v(2), B = F(), drop(t_code_v), [A, B, element(1, c(F))] end},
     {delete_then_undef, fun() -> v(1), code:purge(t_code_v), R = [code:delete(t_code_v), cr(fun() -> t_code_v:v() end)], code:purge(t_code_v), R end},
     {literals_survive_purge, fun() -> load("-module(t_code_l). -export([f/0]). f() -> {lit, [1,2,3], \"abc\", #{a => 1}}."), X = t_code_l:f(), drop(t_code_l), garbage_collect(), X end},
     {literals_in_message_queue, fun() -> load("-module(t_code_l). -export([f/0]). f() -> [deep, {literal, \"x\"}]."), self() ! {m, t_code_l:f()}, drop(t_code_l), receive {m, X} -> X end end},
     {literals_other_process, fun() -> load("-module(t_code_l). -export([f/0]). f() -> [deep, {literal, \"x\"}]."), S = self(), P = spawn(fun() -> X = t_code_l:f(), S ! up, receive go -> S ! {x, X} end end), receive up -> ok end, drop(t_code_l), P ! go, receive M -> M after 1000 -> none end end},
     {on_load_ok, fun() -> load("-module(t_code_o). -export([f/0]). -on_load(init/0). init() -> put(on_load_ran, yes), persistent_term:put(t_code_o, ran), ok. f() -> persistent_term:get(t_code_o)."), R = t_code_o:f(), drop(t_code_o), R end},
     {on_load_fail, fun() -> {M, B} = make("-module(t_code_o2). -export([f/0]). -on_load(init/0). init() -> {error, nope}. f() -> 1."), R = code:load_binary(M, "x", B), {R, cr(fun() -> t_code_o2:f() end), code:is_loaded(t_code_o2)} end},
     {on_load_crash, fun() -> {M, B} = make("-module(t_code_o3). -export([f/0]). -on_load(init/0). init() -> error(x). f() -> 1."), {code:load_binary(M, "x", B), erlang:module_loaded(t_code_o3)} end},
     {on_load_keeps_old, fun() -> load("-module(t_code_o4). -export([f/0]). f() -> old."), {M, B} = make("-module(t_code_o4). -export([f/0]). -on_load(init/0). init() -> false. f() -> new."), R = code:load_binary(M, "x", B), X = t_code_o4:f(), drop(t_code_o4), {R, X} end},
     {module_info, fun() -> load("-module(t_code_m). -export([a/0, b/1]). -vsn(7). -author(me). a() -> 1. b(X) -> c(X). c(X) -> X."), R = [t_code_m:module_info(module), lists:sort(t_code_m:module_info(exports)), lists:sort(t_code_m:module_info(functions)), t_code_m:module_info(attributes), [K || {K, _} <- t_code_m:module_info(compile)], lists:sort([K || {K, _} <- t_code_m:module_info()])], drop(t_code_m), R end},
     {exports_in_order, fun() ->
          load("-module(t_code_o). -export([z/0, a/0, m/1, a/1]). m(X) -> X. a() -> 1. z() -> 2. a(X) -> X. local() -> 1."),
          {t_code_o:module_info(exports), erlang:get_module_info(t_code_o, exports)} end},
     {module_info_bad, fun() -> [c(fun() -> t_code:module_info(foo) end), cr(fun() -> erlang:get_module_info(no_such_mod_z) end)] end},
     {module_md5, fun() -> {M, B} = make("-module(t_code_m5). -export([a/0]). a() -> 1."), {module, M} = code:load_binary(M, "x", B), R = [byte_size(erlang:md5(B)), M:module_info(md5) =:= erlang:get_module_info(M, md5), element(2, element(2, beam_lib:md5(B))) =:= M:module_info(md5)], drop(M), R end},
     {function_exported, fun() -> [erlang:function_exported(M, F, A) || {M, F, A} <- [{lists, map, 2}, {lists, nope, 0}, {nomod_q, f, 0}, {t_code, local, 0}, {erlang, length, 1}, {erlang, nope, 9}]] end},
     {is_builtin, fun() -> [erlang:is_builtin(M, F, A) || {M, F, A} <- [{erlang, length, 1}, {lists, map, 2}, {lists, reverse, 2}, {erlang, nope, 1}]] ++ [cr(fun() -> erlang:is_builtin(erlang, self, id(A)) end) || A <- [0, -1, 300, 1 bsl 32, 1 bsl 70, a, 0.0]] end},
     {delete_again, fun() -> D = fun() -> cr(fun() -> erlang:delete_module(t_code_da) end) end, O = fun() -> erlang:check_old_code(t_code_da) end, R0 = [D(), O()], load("-module(t_code_da). -export([a/0]). a() -> 1."), R1 = [D(), O(), D(), O()], code:purge(t_code_da), R0 ++ R1 ++ [D(), O(), code:delete(t_code_da), code:purge(t_code_da), code:delete(t_code_da), cr(fun() -> erlang:delete_module(id("x")) end)] end},
     {loaded, fun() -> [erlang:module_loaded(lists), erlang:module_loaded(no_such_mod_q), element(1, code:is_loaded(lists)), code:is_loaded(no_such_mod_q), lists:member(?MODULE, erlang:loaded())] end},
     {load_bad, fun() -> [code:load_binary(x, "x", B) || B <- [<<>>, <<"junk">>, <<"FOR1", 0, 0, 0, 4, "BEAM">>]] end},
     {load_truncated, fun() -> {M, B} = make("-module(t_code_t). -export([a/1]). a(X) -> [X, {lit}]."), lists:usort([case code:load_binary(M, "x", binary:part(B, 0, N)) of {error, _} -> error; Y -> Y end || N <- lists:seq(0, byte_size(B) - 9, 23)]) end},
     {load_wrong_name, fun() -> {_, B} = make("-module(t_code_w). -export([a/0]). a() -> 1."), code:load_binary(other_name, "x", B) end},
     {load_args_bad, fun() -> [cr(fun() -> erlang:load_module(id(1), <<>>) end), cr(fun() -> code:load_binary(id(1), "x", <<>>) end), erlang:load_module(x_mod, <<"bad">>)] end},
     {load_file_missing, fun() -> [code:load_file(no_such_module_zz), code:ensure_loaded(no_such_module_zz), code:load_abs("/no/such/file")] end},
     {ensure_loaded, fun() -> [code:ensure_loaded(lists), code:ensure_loaded(?MODULE)] end},
     {which, fun() -> [filename:basename(code:which(lists)), code:which(no_such_module_zz), code:which(erlang) =/= non_existing, filename:basename(code:which(?MODULE))] end},
     {lib_dir, fun() -> [element(1, code:lib_dir(no_such_app)), is_list(code:lib_dir(stdlib)), is_list(code:root_dir()), code:get_mode()] end},
     {path, fun() -> file:make_dir("cp"), A = code:add_path("cp"), B = lists:member(filename:absname("cp"), [filename:absname(P) || P <- code:get_path()]), C = code:del_path("cp"), [A, B, C, code:add_path("no_such_dir"), code:del_path(no_such_name)] end},
     {load_from_path, fun() -> file:make_dir("lp"), {M, B} = make("-module(t_code_p). -export([a/0]). a() -> from_file."), file:write_file("lp/t_code_p.beam", B), code:add_patha("lp"), R = [M:a(), element(1, code:is_loaded(M))], code:del_path("lp"), drop(M), R end},
     {undefined_handler, fun() -> cr(fun() -> t_code:'$handle_undefined_function'(x, []) end) end},
     {handle_undefined, fun() -> load("-module(t_code_h). -export(['$handle_undefined_function'/2]). '$handle_undefined_function'(F, A) -> {handled, F, A}."), R = t_code_h:whatever(1, 2), drop(t_code_h), R end},
     {error_handler_flag, fun() -> load("-module(t_code_e). -export([undefined_function/3, undefined_lambda/3]). undefined_function(M, F, A) -> {eh, M, F, A}. undefined_lambda(_, _, _) -> x."), process_flag(error_handler, t_code_e), R = nomod_eh:f(1), process_flag(error_handler, error_handler), drop(t_code_e), R end},
     {stacktrace_lines, fun() -> load("-module(t_code_s). -export([f/1]).\nf(X) ->\n  g(X).\ng(X) ->\n  [h(X)].\nh(X) -> error(X)."), R = try t_code_s:f(z) catch error:z:S -> [{F, A, proplists:get_value(line, I)} || {t_code_s, F, A, I} <- S] end, drop(t_code_s), R end},
     {big_module, fun() -> N = 300, T = "-module(t_code_big). -export([f/1]). " ++ lists:flatten(["f(" ++ integer_to_list(I) ++ ") -> {a" ++ integer_to_list(I) ++ ", \"s" ++ integer_to_list(I) ++ "\"}; " || I <- lists:seq(1, N)]) ++ "f(_) -> none.", load(T), R = [t_code_big:f(I) || I <- [1, 150, 300, 301]], drop(t_code_big), R end},
     {many_modules, fun() -> Ms = [load("-module(t_code_n" ++ integer_to_list(I) ++ "). -export([f/0]). f() -> " ++ integer_to_list(I) ++ ".") || I <- lists:seq(1, 20)], R = lists:sum([M:f() || M <- Ms]), [drop(M) || M <- Ms], R end},
     {reload_while_calling, fun() -> v(0), S = self(), P = spawn(fun() -> caller(S, []) end), [begin v(I), wait_purge(t_code_v) end || I <- lists:seq(1, 10)], P ! {stop, S}, R = receive {seen, L} -> L after 2000 -> none end, drop(t_code_v), {R =:= lists:usort(R), lists:all(fun is_integer/1, R)} end},
     {prepare_finish, fun() -> {M, B} = make("-module(t_code_pf). -export([a/0]). a() -> prepared."), P = erlang:prepare_loading(M, B), X = erlang:finish_loading([P]), R = [is_reference(P), X, M:a(), erlang:has_prepared_code_on_load(erlang:prepare_loading(M, B))], drop(M), R end},
     {atomic_load, fun() -> Ms = [begin {M, B} = make("-module(t_code_at" ++ integer_to_list(I) ++ "). -export([f/0]). f() -> ok."), {M, "f", B} end || I <- [1, 2, 3]], R = code:atomic_load(Ms), X = [M:f() || {M, _, _} <- Ms], [drop(M) || {M, _, _} <- Ms], {R, X} end},
     {finish_duplicated, fun() -> {M, B} = make("-module(t_code_dup). -export([f/0]). f() -> 1."), P = erlang:prepare_loading(M, B), Q = erlang:prepare_loading(M, B), {erlang:finish_loading([P, Q]), code:is_loaded(M)} end},
     {finish_on_load, fun() -> Ps = [begin {M, B} = make("-module(" ++ N ++ "). -on_load(f/0). f() -> ok."), erlang:prepare_loading(M, B) end || N <- ["t_code_ol1", "t_code_ol2"]], cr(fun() -> erlang:finish_loading(Ps) end) end},
     {sticky, fun() -> {M, B} = make("-module(lists). -export([nope/0]). nope() -> 1."), code:load_binary(M, "x", B) end},
     {is_module_native, fun() -> [code:module_status(lists), code:module_status(no_such_module_zz)] end},
     {priv_dir, fun() -> code:priv_dir(no_such_app_zz) end},
     {compile_file, fun() -> file:write_file("t_code_cf.erl", "-module(t_code_cf).\n-export([f/0]).\nf() -> X = 1, 2.\n"), R = compile:file("t_code_cf", [return]), case R of {ok, M, W} -> {M, [{L, lists:flatten(Md:format_error(D))} || {_, Ws} <- W, {L, Md, D} <- Ws]}; O -> O end end},
     {compile_error, fun() -> file:write_file("t_code_ce.erl", "-module(t_code_ce).\n-export([f/0]).\nf() -> X.\n"), {error, E, _} = compile:file("t_code_ce", [return]), [{L, lists:flatten(Md:format_error(D))} || {_, Es} <- E, {L, Md, D} <- Es] end},
     {preprocess, fun() -> file:write_file("t_code_pp.erl", "-module(t_code_pp).\n-export([f/0]).\n-define(M(X), {X, ??X, ?LINE}).\n-ifdef(FOO).\nf() -> foo.\n-else.\nf() -> ?M(a + b).\n-endif.\na() -> 1.\n"), {ok, Fs} = epp:parse_file("t_code_pp.erl", []), lists:keyfind(f, 3, Fs) =/= false end}].

caller(S, A) ->
    receive {stop, S} -> S ! {seen, lists:reverse(A)}
    after 0 ->
            X = (catch t_code_v:v()),
            case A of [X | _] -> caller(S, A); _ when is_integer(X) -> caller(S, [X | A]); _ -> caller(S, A) end
    end.
