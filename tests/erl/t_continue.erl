%% Functions that go on behind something that has stopped them: after a wait, behind a handler, after a call that took long.
-module(t_continue).
-export([server/1, summed/1, guarded/2, level/3, kept/2, outer/3, inner/2, slots/2, floats/2, set/3, chosen/1, server_answer/1]).
-include("diff.hrl").

%% A server whose state is of several kinds, with messages that are not for it.
server({N, F, B, M}) ->
    receive
        {add, X} -> server({N + X, F * 1.5, <<B/binary, X>>, M#{N band 3 => X}});
        {From, state} -> From ! {self(), {N, F, B, M}}, server({N, F, B, M});
        {From, fail, X} -> From ! {self(), catch X + N}, server({N, F, B, M});
        stop -> ok
    after 60000 -> late
    end.

ask(P, Q) -> P ! Q, receive {P, A} -> A after 5000 -> none end.

%% Waits below many frames, each of which goes on.
summed([]) -> 0;
summed([H | T]) -> X = wait_for(H), X + summed(T) + H.

wait_for(N) -> self() ! {n, N}, receive {n, N} -> N * 2 end.

%% What is caught, and what goes on behind the handler.
guarded(0, A) -> A;
guarded(N, A) ->
    X = try risky(N) catch throw:T -> {t, T}; error:E:S -> {e, E, depth(S)}; exit:R -> {x, R} after put(after_count, N) end,
    guarded(N - 1, [X | A]).

risky(N) when N rem 5 =:= 0 -> throw(N);
risky(N) when N rem 5 =:= 1 -> N + id(a);
risky(N) when N rem 5 =:= 2 -> exit({n, N});
risky(N) when N rem 5 =:= 3 -> element(N, {1});
risky(N) -> N.

depth(S) -> [{F, A} || {M, F, A, _} <- S, M =:= ?MODULE, F =/= '-cases/0-fun-0-'] =/= [].

%% Each level handles what is meant for it, whatever lies between the handler and where it is raised.
level(0, Raise, _) -> Raise();
level(N, Raise, Way) ->
    try
        X = via(Way, N - 1, Raise, Way),
        {N, X}
    catch
        throw:{N, V} -> {caught, N, V};
        error:{N, V} -> {caught, N, V, put(level, N)};
        exit:N -> {left, N}
    end.

via(plain, N, Raise, Way) -> level(N, Raise, Way);
via(list, N, Raise, Way) -> [{E, if E =:= 3 -> level(N, Raise, Way); true -> E end} || E <- [1, 2, 3]];
via(fold, N, Raise, Way) -> lists:foldl(fun(E, A) -> {E, A, level(N, Raise, Way)} end, none, [N]);
via(apply, N, Raise, Way) -> apply(id(?MODULE), id(level), [N, Raise, Way]);
via(deep, N, Raise, Way) -> deep(500, N, Raise, Way);
via(inner, N, Raise, Way) -> try level(N, Raise, Way) catch throw:nobody -> no end;
via(old, N, Raise, Way) -> case catch level(N, Raise, Way) of {'EXIT', R} when is_integer(R) -> exit(R); {caught, _, _} = C -> C; O -> {old, O} end;
via(kept, N, Raise, Way) -> spread(N, Raise, Way).

deep(0, N, Raise, Way) -> level(N, Raise, Way);
deep(D, N, Raise, Way) -> {_, X} = {D, deep(D - 1, N, Raise, Way)}, [D | X].

%% A list that is built while the element behind it raises.
spread(0, Raise, _) -> [Raise()];
spread(N, Raise, Way) -> [N | spread_more(N, Raise, Way)].
spread_more(N, Raise, Way) when N band 1 =:= 0 -> level(N, Raise, Way);
spread_more(N, Raise, Way) -> spread(N - 1, Raise, Way).

all_levels(Way) ->
    erlang:phash2([{seen(catch level(L, F, Way)), L} || L <- [1, 2, 5], T <- [0, 1, 2, 3, 5, 9],
                   F <- [fun() -> throw({T, x}) end, fun() -> error({T, y}) end, fun() -> exit(T) end, fun() -> T end]]).

seen({'EXIT', {R, S}}) when is_list(S) -> {R, [{F, A} || {M, F, A, _} <- S, M =:= ?MODULE]};
seen(V) -> V.

often(Way) -> lists:usort([all_levels(Way) || _ <- lists:seq(1, 40)]).

%% catch with values in the frame.
kept(0, A) -> A;
kept(N, A) ->
    L = [N, {N}], F = N / 2,
    X = (catch risky(N)),
    kept(N - 1, [{L, F, class(X)} | A]).

class({'EXIT', {R, _}}) -> {exit, R};
class(X) -> X.

%% An exception that a continued function raises, to a handler further out.
outer(0, _, A) -> A;
outer(N, P, A) ->
    X = try inner(N, P) catch error:{bad, Y}:S -> {Y, [{F, Ar} || {?MODULE, F, Ar, _} <- S, F =:= inner orelse F =:= outer]} end,
    outer(N - 1, P, [X | A]).

inner(N, P) ->
    {_, _, _, M} = ask(P, {self(), state}),
    case N rem 3 of
        0 -> error({bad, N});
        _ -> {N, map_size(M)}
    end.

%% Many slots that live across a wait.
slots(0, A) -> A;
slots(N, A) ->
    B = N + 1, C = {N, B}, D = [C | N], E = <<N:16, "x">>, F = fun(X) -> X + N + B end, G = #{n => N}, H = N * 1.25, I = N bsl 70,
    R = wait_for(N),
    slots(N - 1, (A + R + B + element(2, C) + length(tl([x | [D]])) + byte_size(E) + F(1) + map_get(n, G) + trunc(H) + (I bsr 70)) band 16#ffffff).

floats(0, A) -> A;
floats(N, A) -> X = A * 1.0001, Y = wait_for(N), floats(N - 1, X + Y / 3).

set(I, T, V) -> setelement(I, T, V).

state() -> {0, 1.0, <<>>, #{}}.

%% Lists whose elements are built by a function with a handler, in which it goes on with the same list.
handled([]) -> [];
handled([T | Ts] = L) ->
    try picked(L) of
        {N, R} -> [N | handled(R)]
    catch
        _:_ -> [T | handled(Ts)]
    end.
picked([H | _]) when H rem 3 =:= 0 -> error(x);
picked([H | T]) when H rem 7 =:= 0 -> {catch hd(T), lists:nthtail(min(2, length(T)), T)};
picked([H | T]) -> {H * 2, T}.

%% What goes on first is a choice by the size of a tuple, with the value itself as the answer otherwise.
chosen(X) ->
    case ?MODULE:server_answer(X) of
        {ok, P} -> {ok, P};
        {ok, P, _} -> {ok, P};
        {error, {started, P}} -> {ok, P};
        {error, again} ->
            case ?MODULE:server_answer({ok, X}) of
                {ok, _} = Ok -> Ok;
                {error, {started, P}} -> {ok, P}
            end;
        Other -> Other
    end.

server_answer(X) -> erlang:send_after(1, self(), {answer, X}), receive {answer, Y} -> Y end.

cases() ->
    [{choice_first, fun() -> [?MODULE:chosen(X) || _ <- lists:seq(1, 30), X <- [{ok, 1}, {ok, 2, 3}, {error, {started, 4}}, {error, again}, {error, x}, {a, b, c}, z, []]] end},
     {lists_with_handlers, fun() -> lists:usort([handled(lists:seq(1, 100)) || _ <- lists:seq(1, 60)]) end},
     {levels_plain, fun() -> often(plain) end},
     {levels_list, fun() -> often(list) end},
     {levels_fold, fun() -> often(fold) end},
     {levels_apply, fun() -> often(apply) end},
     {levels_deep, fun() -> often(deep) end},
     {levels_inner, fun() -> often(inner) end},
     {levels_old, fun() -> often(old) end},
     {levels_kept, fun() -> often(kept) end},
     {server, heavy, fun() ->
          P = spawn(fun() -> server(state()) end),
          [P ! {add, I rem 7} || I <- lists:seq(1, 300)],
          [begin P ! {noise, I}, P ! {add, 1} end || I <- lists:seq(1, 200)],
          As = [begin P ! {add, I rem 5}, element(1, ask(P, {self(), state})) end || I <- lists:seq(1, 2000)],
          {N, F, B, M} = ask(P, {self(), state}), P ! stop,
          {lists:sum(As), N, F > 1.0e50, erlang:crc32(B), M}
      end},
     {server_fails, heavy, fun() ->
          P = spawn(fun() -> server(state()) end),
          As = [begin {'EXIT', {R, _}} = ask(P, {self(), fail, a}), R end || _ <- lists:seq(1, 500)], P ! stop,
          {length(As), lists:usort(As)}
      end},
     {deep_waits, heavy, fun() -> [summed(lists:seq(1, N)) || N <- [0, 1, 50, 2000]] end},
     {many_slots, heavy, fun() -> slots(3000, 0) end},
     {floats, heavy, fun() -> X = floats(3000, 1.0), {trunc(X), is_float(X)} end},
     {handlers, heavy, fun() -> L = guarded(2000, []), {erlang:phash2(L), lists:sublist(L, 6), get(after_count)} end},
     {catches, heavy, fun() -> L = kept(2000, []), {erlang:phash2(L), lists:sublist(L, 6)} end},
     {raises_outwards, heavy, fun() ->
          P = spawn(fun() -> server(state()) end),
          L = outer(900, P, []), P ! stop,
          {erlang:phash2(L), lists:sublist(L, 4)}
      end},
     {killed_and_collected, heavy, fun() ->
          P = spawn(fun() -> server(state()) end),
          [begin P ! {add, 1}, I rem 10 =:= 0 andalso erlang:garbage_collect(P) end || I <- lists:seq(1, 500)],
          {N, _, B, _} = ask(P, {self(), state}), exit(P, kill),
          {N, byte_size(B), ask(P, {self(), state})}
      end},
     {set_elements, heavy, fun() -> L = [set(I rem 5 + 1, {a, 2.5, <<"x">>, [d], 1 bsl 80}, {I}) || I <- lists:seq(1, 3000)], {erlang:phash2(L), lists:sublist(L, 5)} end},
     {set_sizes, fun() -> [begin T = list_to_tuple(lists:seq(1, N)), [set(I, T, x) || I <- lists:usort([1, N div 2 + 1, N])] end || N <- [1, 2, 63, 64, 65, 66, 300]] end},
     {set_bad, fun() -> [c(fun() -> set(I, T, V) end) || {I, T, V} <- [{0, {a}, x}, {2, {a}, x}, {-1, {a}, x}, {1, {}, x}, {1.0, {a}, x}, {a, {a}, x}, {1, [a], x}, {1, a, x}, {1 bsl 70, {a}, x}, {1, <<1>>, x}]] end}].
