%% What logger prints: error, crash and supervisor reports.
-module(t_logger).
-behaviour(gen_server).
-export([init/1, handle_call/3, handle_cast/2, log/2, crash_init/0]).
-include("diff.hrl").

init({sup, X}) -> X;
init(S) -> {ok, S}.
handle_call(crash, _, _) -> error(crashed);
handle_call({exit, R}, _, _) -> exit(R);
handle_call(X, _, S) -> {reply, X, S}.
handle_cast(crash, _) -> erlang:error(cast_crash);
handle_cast({bad, X}, _) -> X.

crash_init() -> error(early).

%% A handler that sends what the formatter makes of an event.
log(Event, #{config := #{to := To, fmt := Fmt}}) ->
    To ! {logged, maps:get(level, Event), unicode:characters_to_list(logger_formatter:format(Event, Fmt))}.

with(F) -> with(#{single_line => false, template => [level, " ", msg, "\n"]}, F).
with(Fmt, F) ->
    Old = maps:get(level, logger:get_primary_config()),
    ok = logger:add_handler(t_logger_h, ?MODULE, #{config => #{to => self(), fmt => Fmt}}),
    _ = logger:remove_handler(default),
    ok = logger:set_primary_config(level, info),
    try
        F(),
        collect()
    after
        logger:set_primary_config(level, Old),
        logger:remove_handler(t_logger_h)
    end.

collect() -> collect(1500).

collect(Wait) ->
    receive {logged, L, T} -> [{L, clean(T)} | collect(150)] after Wait -> [] end.

%% Process identities and sizes differ from run to run.
clean(T) ->
    lists:foldl(fun({P, R}, A) -> re:replace(A, P, R, [global, {return, list}, unicode]) end, T,
                [{"<0\\.[0-9]+\\.[0-9]+>", "<pid>"}, {"#Ref<[0-9.]+>", "#Ref<>"}, {"#Fun<([a-z_]+)[0-9.]*>", "#Fun<\\1>"}, {"#Port<[0-9.]+>", "#Port<>"},
                 {"(heap_size: +|stack_size: +|reductions: +)[0-9]+", "\\1N"},
                 {"\\((gen_server|proc_lib|gen|supervisor|gen_statem|logger_olp|supervisor_bridge|erl_eval|lists|shell|maps|logger)\\.erl, line [0-9]+\\)", "(\\1.erl)"}]).

down(P) -> R = monitor(process, P), receive {'DOWN', R, _, _, _} -> ok after 2000 -> timeout end.

cases() ->
    [{spawn_error, fun() -> with(fun() -> down(spawn(fun() -> error(boom) end)) end) end},
     {spawn_error_mfa, fun() -> with(fun() -> down(spawn(?MODULE, crash_init, [])) end) end},
     {spawn_throw, fun() -> with(fun() -> down(spawn(fun() -> throw(ball) end)) end) end},
     {spawn_exit_silent, fun() -> with(fun() -> down(spawn(fun() -> exit(quiet) end)) end) end},
     {spawn_badarith, fun() -> with(fun() -> down(spawn(fun() -> id(a) + 1 end)) end) end},
     {spawn_undef, fun() -> with(fun() -> down(spawn(no_mod_x, f, [1])) end) end},
     {spawn_badmatch_long, fun() -> with(fun() -> down(spawn(fun() -> {ok, _} = id({error, lists:seq(1, 50)}) end)) end) end},
     {proc_lib_crash, fun() -> with(fun() -> down(proc_lib:spawn(fun() -> error(lib_boom) end)) end) end},
     {proc_lib_exit, fun() -> with(fun() -> down(proc_lib:spawn(fun() -> exit(lib_exit) end)) end) end},
     {proc_lib_shutdown_silent, fun() -> with(fun() -> down(proc_lib:spawn(fun() -> exit({shutdown, x}) end)) end) end},
     {proc_lib_messages, fun() -> with(fun() -> P = proc_lib:spawn(fun() -> put(k, v), receive go -> error(with_queue) end end), P ! a, P ! b, P ! go, down(P) end) end},
     {proc_lib_linked, fun() -> with(fun() -> P = proc_lib:spawn(fun() -> L = spawn_link(fun() -> receive stop -> ok end end), put(l, is_pid(L)), error(linked) end), down(P) end) end},
     {gen_server_crash, fun() -> with(fun() -> {ok, P} = gen_server:start(?MODULE, state0, []), catch gen_server:call(P, crash), down(P) end) end},
     {gen_server_cast_crash, fun() -> with(fun() -> {ok, P} = gen_server:start(?MODULE, #{k => [1, 2]}, []), gen_server:cast(P, crash), down(P) end) end},
     {gen_server_named_exit, fun() -> with(fun() -> {ok, P} = gen_server:start({local, t_logger_s}, ?MODULE, st, []), catch gen_server:call(P, {exit, reason1}), down(P) end) end},
     {gen_server_bad_return, fun() -> with(fun() -> {ok, P} = gen_server:start(?MODULE, st, []), gen_server:cast(P, {bad, nonsense}), down(P) end) end},
     {gen_server_shutdown_silent, fun() -> with(fun() -> {ok, P} = gen_server:start(?MODULE, st, []), gen_server:stop(P, shutdown, 1000) end) end},
     {supervisor_child, fun() -> with(fun() -> process_flag(trap_exit, true), {ok, S} = supervisor:start_link(?MODULE, {sup, {ok, {#{intensity => 0, period => 1}, [#{id => kid, start => {gen_server, start_link, [{local, t_logger_kid}, ?MODULE, st, []]}}]}}}), exit(whereis(t_logger_kid), kill), down(S) end) end},
     {supervisor_start_error, fun() -> with(fun() -> process_flag(trap_exit, true), supervisor:start_link(?MODULE, {sup, {ok, {#{}, [#{id => kid, start => {?MODULE, nofun, []}}]}}}) end) end},
     {logger_levels, fun() -> with(fun() -> [logger:log(L, "level ~p", [L]) || L <- [debug, info, notice, warning, error, critical, alert, emergency]] end) end},
     {logger_report, fun() -> with(fun() -> logger:error(#{b => "two"}), logger:error([{x, 1}, {y, 2}]), logger:error("plain"), logger:error("~p and ~s", [{t}, "s"]) end) end},
     {logger_report_cb, fun() -> with(fun() -> logger:error(#{what => ever}, #{report_cb => fun(R) -> {"custom ~p", [maps:get(what, R)]} end}) end) end},
     {logger_bad_format, fun() -> with(fun() -> logger:error("~p ~p", [1]) end) end},
     {error_logger, fun() -> with(fun() -> error_logger:error_msg("old ~w~n", [1]), error_logger:info_msg("info ~w~n", [2]), error_logger:warning_report([{k, v}]), error_logger:error_report(my_type, [{k, v}]) end) end},
     {single_line, fun() -> with(#{single_line => true, template => [level, ": ", msg]}, fun() -> logger:error("two~nlines ~p", [lists:seq(1, 60)]) end) end},
     {max_size, fun() -> with(#{max_size => 60, template => [msg]}, fun() -> logger:error("~p", [lists:seq(1, 100)]) end) end},
     {depth, fun() -> with(#{depth => 5, template => [msg]}, fun() -> logger:error("~p", [lists:seq(1, 100)]) end) end},
     {meta_template, fun() -> with(#{template => [mfa, " ", line, " ", {domain, ["d:", domain], ["nodomain"]}, " ", {nokey, "yes", "no"}, " ", msg]}, fun() -> logger:error("m", #{mfa => {m, f, 1}, line => 7, domain => [a, b]}) end) end},
     {time_format, fun() -> with(#{template => [time, " ", msg], time_offset => "Z"}, fun() -> logger:error("t", #{time => 0}) end) end},
     {default_format, fun() -> with(#{time_offset => "Z"}, fun() -> logger:error("header", #{time => 1000000}) end) end},
     {filters, fun() -> with(fun() -> logger:add_primary_filter(t_logger_f, {fun(#{msg := {string, "drop"}}, _) -> stop; (_, _) -> ignore end, []}), logger:error("drop"), logger:error("keep"), logger:remove_primary_filter(t_logger_f) end) end},
     {module_level, fun() -> with(fun() -> logger:set_module_level(?MODULE, emergency), logger:error("hidden", #{mfa => {?MODULE, x, 0}}), logger:unset_module_level(?MODULE), logger:error("shown") end) end},
     {process_metadata, fun() -> with(#{template => [tag, " ", msg]}, fun() -> logger:set_process_metadata(#{tag => "T1"}), logger:error("x"), logger:update_process_metadata(#{tag => "T2"}), logger:error("y"), logger:unset_process_metadata() end) end},
     {primary_config, fun() -> maps:get(filter_default, logger:get_primary_config()) end},
     {handler_errors, fun() -> [element(1, logger:add_handler(t_logger_x, no_such_handler_mod, #{})), logger:remove_handler(t_logger_none), element(1, logger:set_handler_config(t_logger_none, level, info))] end},
     {compare_levels, fun() -> [logger:compare_levels(A, B) || {A, B} <- [{error, info}, {info, error}, {debug, debug}]] end},
     {unhandled_in_gen, fun() -> with(fun() -> {ok, P} = gen_server:start(?MODULE, st, []), P ! unexpected, gen_server:call(P, sync) end) end}].
