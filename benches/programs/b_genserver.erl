%% processes: calls and casts to a gen_server.
%% repeat: 1
-module(b_genserver).
-behaviour(gen_server).
-export([run/0, init/1, handle_call/3, handle_cast/2]).
run() -> {ok, P} = gen_server:start_link(?MODULE, 0, []), S = loop(150000, P, 0), gen_server:stop(P), S.
loop(0, P, A) -> A + gen_server:call(P, get);
loop(N, P, A) when N band 3 =:= 0 -> gen_server:cast(P, {add, 1}), loop(N - 1, P, A);
loop(N, P, A) -> loop(N - 1, P, A + gen_server:call(P, {add, N band 7}) band 1).
init(N) -> {ok, N}.
handle_call({add, X}, _, N) -> {reply, N + X, N + X};
handle_call(get, _, N) -> {reply, N, N}.
handle_cast({add, X}, N) -> {noreply, N + X}.
