%% Loading native libraries: versions of a module and of its library, upgrades, what is refused, and when a library goes.
-module(t_nif_load).
-include("diff.hrl").
-include("c_library.hrl").

%% The library, compiled with these definitions; an atom that says why there is none.
library(Name, Defines) -> c_library("t_nif_mod.c", "t_nif_mod_" ++ Name, Defines).

one() -> library("1", "-DVERSION=1").
two() -> library("2", "-DVERSION=2").

%% Where there is a compiler.
with(F) ->
    case one() of
        Path when is_list(Path) ->
            register(t_nif_events, self()),
            try F() after clear() end;
        Why -> Why
    end.

purge() -> cr(fun() -> erlang:purge_module(t_nif_mod) end).

clear() ->
    purge(), erlang:delete_module(t_nif_mod), purge(),
    catch unregister(t_nif_events).

%% A version of the module; what is added to it.
module() -> module("").
module(More) -> module(More, "").
module(More, OnLoad) ->
    Text = "-module(t_nif_mod). " ++ OnLoad ++ " -export([load/2, version/0, private/0, new_thing/1, number/1, local/0, wait/0, helper/1, names/0]). "
        "load(P, I) -> erlang:load_nif(P, I). version() -> no_version. private() -> erlang:nif_error(no_private). "
        "new_thing(_) -> erlang:nif_error(no_thing). number(_) -> none. local() -> {local, version()}. "
        "helper(X) -> X. names() -> [fun version/0, fun ?MODULE:version/0]. wait() -> receive go -> {version(), ?MODULE:version()} end. " ++ More,
    Forms = forms(Text),
    {ok, t_nif_mod, Beam} = compile:forms(Forms, [binary]),
    Beam.

forms(Text) ->
    {ok, Tokens, _} = erl_scan:string(Text),
    split([{'?', 1}, {var, 1, 'MODULE'}], Tokens, [], []).

%% Forms out of tokens, ?MODULE replaced.
split(_, [], [], Forms) -> lists:reverse(Forms);
split(M, [{'?', L}, {var, _, 'MODULE'} | T], Form, Forms) -> split(M, T, [{atom, L, t_nif_mod} | Form], Forms);
split(M, [{dot, L} | T], Form, Forms) ->
    {ok, F} = erl_parse:parse_form(lists:reverse([{dot, L} | Form])),
    split(M, T, [], [F | Forms]);
split(M, [X | T], Form, Forms) -> split(M, T, [X | Form], Forms).

%% Makes a version current; the one before becomes old, an older one goes.
put_in(Beam) ->
    purge(),
    code:load_binary(t_nif_mod, "t_nif_mod.erl", Beam).

until_unload() -> receive {unload, _, _} = X -> [X]; X -> [X | until_unload()] after 10000 -> [nothing] end.

events() -> receive X -> [X | events()] after 100 -> [] end.

m(F) -> m(F, []).
m(F, A) -> cr(fun() -> apply(t_nif_mod, F, A) end).

all() -> [m(version), m(local), [cr(F) || F <- apply(t_nif_mod, names, [])], m(private), events()].

cases() ->
    [{Name, fun() -> with(F) end} || {Name, F} <-
    [{plain, fun() -> {put_in(module()), m(version), m(load, [one(), 0]), all(), purge(), erlang:delete_module(t_nif_mod), purge(), all_gone()} end},
     {early_calls, fun() -> put_in(module()), [m(version) || _ <- lists:seq(1, 10000)], A = [m(local), m(number, [1])], {A, m(load, [one(), 0]), all(), m(number, [1])} end},
     {twice, fun() -> put_in(module()), {m(load, [one(), 0]), m(load, [one(), 0]), m(load, [two(), 0]), all()} end},
     {bare, fun() -> put_in(module()), {m(load, [library("bare", "-DVERSION=7 -DBARE"), 0]), m(version), events()} end},
     {no_such_function, fun() -> put_in(module()), {m(load, [library("missing", "-DVERSION=1 -DMISSING"), 0]), m(version), events()} end},
     {function_twice, fun() -> put_in(module()), {m(load, [library("twice", "-DVERSION=1 -DTWICE"), 0]), m(version), events()} end},
     {other_name, fun() -> put_in(module()), {m(load, [library("name", "-DVERSION=1 -DNAME=other"), 0]), m(version), events()} end},
     {not_declared, fun() -> put_in(module("", "-nifs([version/0, private/0, new_thing/1, number/1]).")), {m(load, [library("helper", "-DVERSION=1 -DHELPER"), 0]), m(helper, [x]), m(load, [one(), 0]), all()} end},
     {declared_only, fun() -> put_in(module("", "-nifs([version/0, private/0, new_thing/1]).")), {m(load, [one(), 0]), all()} end},
     {load_fails, fun() -> put_in(module()), {m(load, [one(), 4]), m(version), events(), m(load, [one(), 0]), all()} end},
     {no_library, fun() -> F = filename:absname("no_library.so"), file:write_file(F, <<"nothing">>), put_in(module()), {ok, {error, {W, T}}} = m(load, [filename:rootname(F), 0]), {W, lists:prefix("Failed to load NIF library", T)} end},
     {no_init, fun() -> {ok, H} = file:get_cwd(), C = filename:join(H, "no_init.c"), file:write_file(C, "int x;\n"), os:cmd("gcc -shared -fPIC -o no_init.so no_init.c"), put_in(module()), {ok, {error, {W, T}}} = m(load, [filename:join(H, "no_init"), 0]), {W, lists:sublist(T, 40)} end},
     {on_unload_thread, fun() ->
          %% Threads of dirty pools may begin with their first call.
          {ok, _} = file:read_file_info("."), put_in(module()), A = m(load, [library("thread", "-DVERSION=4 -DON_UNLOAD_THREAD"), 0]), B = events(), purge(), erlang:delete_module(t_nif_mod), purge(),
          L = until_unload(), {A, B, hd(lists:usort(L)), lists:all(fun(X) -> element(1, X) =/= nothing end, L), lists:last(L)} end},
     {upgrade, fun() -> put_in(module()), A = m(load, [one(), 0]), put_in(module()), B = all(), C = m(load, [two(), 0]), D = all(), E = purge(), {A, B, C, D, E, all()} end},
     {upgrade_same, fun() -> put_in(module()), A = m(load, [one(), 0]), put_in(module()), B = m(load, [one(), 0]), {A, B, all(), purge(), all()} end},
     {no_upgrade, fun() -> put_in(module()), A = m(load, [one(), 0]), put_in(module()), {A, m(load, [library("noup", "-DVERSION=3 -DWITHOUT_UPGRADE"), 0]), all()} end},
     {upgrade_fails, fun() -> put_in(module()), A = m(load, [one(), 0]), put_in(module()), {A, m(load, [two(), 4]), all(), m(load, [two(), 0]), all()} end},
     {from_old, fun() -> put_in(module()), F = fun t_nif_mod:load/2, A = F(one(), 0), P = spawn(fun() -> exit(apply(t_nif_mod, wait, [])) end), put_in(module()), R = monitor(process, P), P ! go, W = receive {'DOWN', R, _, _, X} -> X end, {A, W, events()} end},
     {deleted, fun() -> put_in(module()), A = m(load, [one(), 0]), B = erlang:delete_module(t_nif_mod), C = m(version), D = purge(), {A, B, element(1, C), D, events()} end},
     {things, fun() -> put_in(module()), A = m(load, [one(), 1]), {ok, T} = m(new_thing, [5]), B = m(number, [T]), C = m(number, [make_ref()]), E = events(), {A, B, C, is_reference(T), E} end},
     {things_no_flag, fun() -> put_in(module()), {m(load, [one(), 2]), events()} end},
     {things_taken_over, fun() -> put_in(module()), A = m(load, [one(), 1]), {ok, T} = m(new_thing, [6]), put_in(module()), B = m(load, [two(), 2]), C = [m(number, [T]), events()], D = purge(), E = [m(number, [T]), events()], {A, B, C, D, E, id(T) =:= T} end},
     {things_not_taken_over, fun() -> put_in(module()), A = m(load, [one(), 1]), {ok, T} = m(new_thing, [6]), put_in(module()), B = m(load, [two(), 1]), {A, B, events(), is_reference(T)} end},
     {things_outlive, fun() -> put_in(module()), m(load, [one(), 1]), {ok, T} = m(new_thing, [7]), A = events(), erlang:delete_module(t_nif_mod), B = {purge(), events()}, C = is_reference(T), id(T), F = fun() -> garbage_collect(), events() end, {A, B, C, drop(F)} end},
     {on_load, fun() -> P = one(), put_in(module("init() -> erlang:load_nif(\"" ++ P ++ "\", 0).", "-on_load(init/0).")), all() end},
     {on_load_fails, fun() -> P = one(), A = put_in(module("init() -> erlang:load_nif(\"" ++ P ++ "\", 4).", "-on_load(init/0).")), {A, m(version), events()} end},
     {on_load_upgrade, fun() -> put_in(module()), A = m(load, [one(), 0]), P = two(), B = put_in(module("init() -> erlang:load_nif(\"" ++ P ++ "\", 0).", "-on_load(init/0).")), {A, B, all(), purge(), all()} end},
     {anew, fun() -> P = library("count", "-DVERSION=5 -DCOUNT"), [begin put_in(module()), {ok, ok} = m(load, [P, 0]), {ok, 5} = m(version), erlang:delete_module(t_nif_mod), {purge(), events()} end || _ <- lists:seq(1, 10)] end},
     {tainted, fun() -> put_in(module()), m(load, [one(), 0]), lists:member(t_nif_mod, erlang:system_info(taints)) end}]].

%% With nothing that refers to a thing any more.
drop(F) -> {_, R} = spawn_monitor(fun() -> ok end), receive {'DOWN', R, _, _, _} -> ok end, F().

all_gone() -> [m(version), events()].
