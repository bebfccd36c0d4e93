%% processes: messages, monitors, timers, servers.
-module(s_processes).
-behaviour(gen_server).
-export([cases/0, init/1, handle_call/3, handle_cast/2]).

cases() ->
    [{send_self, fun(N) -> self() ! N, receive N -> ok end end},
     {send_receive_ref, fun(_) -> R = make_ref(), self() ! {R, x}, receive {R, X} -> X end end},
     {receive_after_0, fun(_) -> receive never -> ok after 0 -> ok end end},
     {spawn, fun(_) -> {P, R} = spawn_monitor(fun() -> ok end), receive {'DOWN', R, process, P, _} -> ok end end},
     {echo, with(fun() -> spawn_link(fun echo/0) end, fun(P) -> P ! self(), receive P -> ok end end)},
     {gen_server_call, with(fun server/0, fun(P) -> gen_server:call(P, x) end)},
     {gen_server_cast, with(fun server/0, fun(P) -> gen_server:cast(P, x) end)},
     {monitor_demonitor, with(fun server/0, fun(P) -> demonitor(monitor(process, P), [flush]) end)},
     {link_unlink, with(fun server/0, fun(P) -> unlink(P), link(P) end)},
     {is_process_alive, with(fun server/0, fun(P) -> is_process_alive(P) end)},
     {whereis, fun(_) -> whereis(kernel_sup) end},
     {timer, fun(_) -> erlang:cancel_timer(erlang:send_after(100000, self(), x)) end},
     {alias, fun(_) -> unalias(alias()) end},
     {garbage_collect, fun(_) -> erlang:garbage_collect() end}].

%% The process is made by the process that measures, at its first call.
with(Make, F) ->
    fun(_) ->
            case get(peer) of
                undefined ->
                    P = Make(),
                    put(peer, P),
                    F(P);
                P ->
                    F(P)
            end
    end.

echo() -> receive P -> P ! self(), echo() end.

server() ->
    {ok, P} = gen_server:start_link(?MODULE, [], []),
    P.

init([]) -> {ok, 0}.

handle_call(_, _, S) -> {reply, ok, S + 1}.

handle_cast(_, S) -> {noreply, S + 1}.
