%% erl_ddll: who has a driver loaded, what happens to its ports, when it goes and comes again.
-module(t_ddll).
-include("diff.hrl").
-include("c_library.hrl").

-define(D, "t_ddll_drv").

with(F) ->
    case driver_folder(?D, ?D, "-DFLAGS=0") of
        Path when is_list(Path) -> try F(Path) after stop_all(), clean(?D) end;
        Why -> Why
    end.

clean(D) ->
    case erl_ddll:try_unload(D, [kill_ports, {monitor, pending}]) of
        {ok, _, R} -> receive {_, R, _, _, _} -> ok after 5000 -> stays end;
        _ -> ok
    end,
    flush().

flush() -> receive _ -> flush() after 0 -> ok end.

is_loaded() -> lists:member(?D, element(2, erl_ddll:loaded_drivers())).
about(What) -> c(fun() -> erl_ddll:info(?D, What) end).
users() -> case erl_ddll:info(?D, processes) of L when is_list(L) -> lists:sort([N || {_, N} <- L]); Other -> Other end.

%% A message of a monitor, without its reference.
news(R) -> receive {What, R, driver, Name, News} -> {What, Name, News} after 5000 -> nothing end.
news() -> receive {What, R, driver, Name, News} when is_reference(R) -> {What, Name, News} after 5000 -> nothing end.
none() -> receive X -> X after 100 -> none end.
bare({ok, S, R}) when is_reference(R) -> {ok, S, reference};
bare(X) -> X.
%% The driver's end, which may have been before.
gone() -> {What, _, News} = news(erl_ddll:monitor(driver, {?D, unloaded_only})), {What, News}.

%% Another process that does things when asked.
other() ->
    Me = self(),
    P = spawn(fun() -> loop(Me) end),
    put(others, [P | case get(others) of undefined -> []; L -> L end]),
    P.
loop(Me) -> receive {do, F} -> Me ! {done, self(), c(F)}, loop(Me); stop -> ok end.
do(P, F) -> P ! {do, F}, receive {done, P, R} -> R after 10000 -> nothing end.
stop_all() -> case erase(others) of undefined -> []; L -> [stop(P) || P <- L] end.
stop(P) -> R = monitor(process, P), P ! stop, receive {'DOWN', R, _, _, _} -> ok end.

open() -> open_port({spawn_driver, ?D}, []).
close(P) -> true = port_close(P).

cases() ->
    [{load_unload, fun() -> with(fun(D) ->
         [is_loaded(), erl_ddll:load(D, ?D), is_loaded(), users(), erl_ddll:load(D, ?D), users(), erl_ddll:unload(?D), users(), erl_ddll:unload(?D), gone(), is_loaded()] end) end},
     {info, fun() -> with(fun(D) ->
         erl_ddll:load(D, ?D), P = open(),
         A = [about(X) || X <- [driver_options, port_count, linked_in_driver, permanent, awaiting_load, awaiting_unload, other, "x"]],
         B = erlang:port_info(P, locking), close(P), {A, B, about(port_count)} end) end},
     {names, fun() -> with(fun(D) ->
         [try erl_ddll:try_load(list_to_atom(D), ?D, []) catch error:E -> E end, erl_ddll:load(D, list_to_atom(?D)), erl_ddll:load([D, "/"], [<<"t_">>, "ddll_drv"]), erl_ddll:load(list_to_binary(D), ?D), users(),
          erl_ddll:load(D ++ "/.", ?D), erl_ddll:load(D ++ "///", ?D), users()] end) end},
     {bad_arguments, fun() ->
         [c(fun() -> apply(erl_ddll, F, A) end) || {F, A} <- [{try_load, [a, '', []]}, {try_load, [1, a, []]}, {try_load, ["a", "b", [x]]}, {try_load, ["a", "b", [{monitor, x}]]},
          {try_load, ["a", "b", [{driver_options, [x]}]]}, {try_load, ["a", "b", [{driver_options, kill_ports}]]}, {try_load, ["a", "b", a]}, {try_load, ["a", "b", [{reload, 1}]]},
          {try_unload, [1, []]}, {try_unload, ["a", [x]]}, {try_unload, ["a", [{monitor, x}]]}, {try_unload, ["a", x]}, {monitor, [x, {"a", loaded}]}, {monitor, [driver, "a"]},
          {monitor, [driver, {"a", x}]}, {monitor, [driver, {1, loaded}]}, {demonitor, [x]}, {info, ["none", processes]}, {info, [1, processes]}, {format_error_int, [x]},
          {format_error_int, [{open_error, x}]}, {format_error_int, [{x, 1}]}, {format_error, ["text"]}]] end},
     {errors, fun() -> with(fun(D) ->
         [erl_ddll:load(D, "no_such_drv"), erl_ddll:unload("no_such_drv"), erl_ddll:reload(D, "no_such_drv"), erl_ddll:try_unload("tcp_inet", []), erl_ddll:try_load(D, "tcp_inet", []),
          erl_ddll:load(D, ?D), erl_ddll:load(D ++ "x", ?D), erl_ddll:load_driver(D, ?D),
          do(other(), fun() -> erl_ddll:unload(?D) end), do(other(), fun() -> erl_ddll:reload(D, ?D) end), do(other(), fun() -> erl_ddll:try_load(D, ?D, [{reload, pending}]) end)] end) end},
     {texts, fun() ->
         [c(fun() -> erl_ddll:format_error(X) end) || X <- [load_cancelled, inconsistent, linked_in_driver, permanent, not_loaded, not_loaded_by_this_process, not_pending,
          already_loaded, pending_reload, pending_process, no_error, no_driver_init, driver_init_failed, bad_driver_name, driver_name_to_long, driver_incorrect_version,
          no_ddll_available, unspecified_error, symbol_not_found]] end},
     {linker_text, fun() -> {error, E} = erl_ddll:load("/no/such/folder", "no_drv"), {element(1, E), erl_ddll:format_error(E), erl_ddll:load("/no/other", "no_drv") =:= {error, E}} end},
     {no_driver, fun() -> with(fun(D) ->
         [case driver_folder(N, As, Def) of D -> R = erl_ddll:load(D, N), {R, lists:member(N, element(2, erl_ddll:loaded_drivers()))}; Why -> Why end ||
          {N, As, Def} <- [{"t_ddll_wrong_drv", "another_drv", ""}, {"t_ddll_fails_drv", "t_ddll_fails_drv", "-DINIT_FAILS"}, {"t_ddll_new_drv", "t_ddll_new_drv", "-DMINOR=99"},
                           {"t_ddll_none_drv", "t_ddll_none_drv", "-Ddriver_init=something"}]] end) end},
     {two_processes, fun() -> with(fun(D) ->
         erl_ddll:load(D, ?D), P = other(),
         A = do(P, fun() -> erl_ddll:try_load(D, ?D, []) end), B = users(),
         C = [erl_ddll:try_unload(?D, []), users(), erl_ddll:try_unload(?D, []), do(P, fun() -> erl_ddll:try_unload(?D, []) end), gone(), is_loaded()],
         {A, B, C} end) end},
     {unload_by_exit, fun() -> with(fun(D) ->
         P = other(), A = do(P, fun() -> erl_ddll:load(D, ?D) end), R = erl_ddll:monitor(driver, {?D, unloaded}), stop(P), {A, news(R), is_loaded()} end) end},
     {unload_with_port, fun() -> with(fun(D) ->
         erl_ddll:load(D, ?D), P = open(), {ok, pending_driver, R} = erl_ddll:try_unload(?D, [{monitor, pending_driver}]),
         A = [none(), is_loaded(), users(), about(port_count), about(awaiting_unload) =:= {ok, [{self(), 1}]}, is_port(Q = open()), about(port_count)],
         close(P), B = none(), close(Q), {A, none =/= B, news(R), is_loaded()} end) end},
     {unload_cancelled, fun() -> with(fun(D) ->
         erl_ddll:load(D, ?D), P = open(), {ok, pending_driver, R} = erl_ddll:try_unload(?D, [{monitor, pending}]), R2 = erl_ddll:monitor(driver, {?D, unloaded_only}),
         A = [erl_ddll:try_load(D, ?D, [{monitor, pending}]), news(R), users()], erl_ddll:unload(?D), close(P), flush_stopped(), {A, news(R2)} end) end},
     {kill_ports, fun() -> with(fun(D) ->
         erl_ddll:load_driver(D, ?D), process_flag(trap_exit, true), P = open(), A = about(driver_options),
         B = erl_ddll:unload_driver(?D), C = receive {'EXIT', P, W} -> W after 5000 -> nothing end, process_flag(trap_exit, false), {A, B, C, is_loaded(), erlang:port_info(P)} end) end},
     {kill_ports_by_exit, fun() -> with(fun(D) ->
         P = other(), do(P, fun() -> erl_ddll:load_driver(D, ?D) end), process_flag(trap_exit, true), Q = open(), R = erl_ddll:monitor(driver, {?D, unloaded}),
         stop(P), A = receive {'EXIT', Q, W} -> W after 5000 -> nothing end, process_flag(trap_exit, false), {A, news(R)} end) end},
     {kill_ports_not_last, fun() -> with(fun(D) ->
         erl_ddll:load(D, ?D), P = other(), do(P, fun() -> erl_ddll:load(D, ?D) end), Q = open(),
         A = bare(erl_ddll:try_unload(?D, [kill_ports, {monitor, pending}])), B = is_list(erlang:port_info(Q)), close(Q), flush_stopped(),
         {A, B, do(P, fun() -> erl_ddll:unload(?D) end), news()} end) end},
     {reload, fun() -> with(fun(D) ->
         [erl_ddll:load(D, ?D), erl_ddll:reload(D, ?D), users(), is_loaded(), erl_ddll:reload(D, ?D), users()] end) end},
     {reload_with_port, fun() -> with(fun(D) ->
         erl_ddll:load(D, ?D), P = open(), {ok, pending_driver, R} = erl_ddll:try_load(D, ?D, [{reload, pending_driver}, {monitor, pending_driver}]),
         A = [users(), about(awaiting_load) =:= {ok, [{self(), 1}]}, erl_ddll:try_load(D, ?D, [{reload, pending}]), erl_ddll:try_load(D ++ "x", ?D, [])],
         close(P), flush_stopped(), {A, news(R), users(), close(open())} end) end},
     {reload_with_users, fun() -> with(fun(D) ->
         erl_ddll:load(D, ?D), P = other(), do(P, fun() -> erl_ddll:load(D, ?D) end), Q = open(),
         A = erl_ddll:reload(D, ?D), B = bare(erl_ddll:try_load(D, ?D, [{reload, pending}, {monitor, pending}])), C = users(), close(Q), flush_stopped(), {A, B, C, news(), users()} end) end},
     {reload_cancelled, fun() -> with(fun(D) ->
         erl_ddll:load(D, ?D), P = open(), {ok, _, R} = erl_ddll:try_load(D, ?D, [{reload, pending_driver}, {monitor, pending}]),
         A = bare(erl_ddll:try_unload(?D, [])), B = news(R), close(P), flush_stopped(), {A, B, gone()} end) end},
     {reload_fails, fun() -> with(fun(D) ->
         erl_ddll:load(D, ?D), P = open(), {ok, _, R} = erl_ddll:try_load(D ++ "/none", ?D, [{reload, pending_driver}, {monitor, pending}]),
         close(P), flush_stopped(), {What, N, {load_failure, {E, _}}} = news(R), {What, N, E, is_loaded()} end) end},
     {reload_kills, fun() -> with(fun(D) ->
         erl_ddll:load_driver(D, ?D), process_flag(trap_exit, true), P = open(), A = erl_ddll:reload_driver(D, ?D),
         B = receive {'EXIT', P, W} -> W after 5000 -> nothing end, process_flag(trap_exit, false), {A, B, users()} end) end},
     {load_while_reloading, fun() -> with(fun(D) ->
         erl_ddll:load(D, ?D), P = open(), {ok, _, R} = erl_ddll:try_load(D, ?D, [{reload, pending_driver}, {monitor, pending}]), Q = other(),
         A = do(Q, fun() -> bare(erl_ddll:try_load(D, ?D, [])) end), close(P), flush_stopped(), {A, news(R), users()} end) end},
     {monitors, fun() -> with(fun(D) ->
         A = [news(erl_ddll:monitor(driver, {X, When})) || X <- ["none_drv", none_drv, "tcp_inet", [<<"tcp">>, "_inet"]], When <- [loaded, unloaded, unloaded_only]],
         erl_ddll:load(D, ?D), B = news(erl_ddll:monitor(driver, {?D, loaded})),
         R = erl_ddll:monitor(driver, {?D, unloaded}), C = erl_ddll:demonitor(R), C2 = erl_ddll:demonitor(R), erl_ddll:unload(?D), {A, B, C, C2, none()} end) end},
     {pending_unload, fun() -> with(fun(D) ->
         erl_ddll:load(D, ?D), P = open(), erl_ddll:unload(?D),
         A = [news(erl_ddll:monitor(driver, {?D, loaded})), erl_ddll:try_load(D, ?D, [{reload, pending}]), do(other(), fun() -> erl_ddll:try_unload(?D, []) end)], close(P), A end) end},
     {permanent, fun() ->
         case driver_folder("t_ddll_stays_drv", "t_ddll_stays_drv", "") of
             D when is_list(D) ->
                 N = "t_ddll_stays_drv",
                 A = erl_ddll:load(D, N), R = erl_ddll:monitor(driver, {N, unloaded}),
                 P = open_port({spawn_driver, N}, []), B = port_control(P, 31, []), C = news(R),
                 {A, B, C, erl_ddll:unload(N), erl_ddll:load(D, N), erl_ddll:reload(D, N), erl_ddll:info(N), port_close(P), lists:member(N, element(2, erl_ddll:loaded_drivers())),
                  news(erl_ddll:monitor(driver, {N, unloaded})), is_port(open_port({spawn_driver, N}, []))};
             Why -> Why
         end end}].

%% What the driver says when a port stops.
flush_stopped() -> receive {stopped, _} -> flush_stopped() after 100 -> ok end.
