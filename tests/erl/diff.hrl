%% Shared by the suite modules: values the compiler cannot see through, and
%% exceptions as values.
-export([cases/0, id/1]).
-compile([nowarn_unused_function, nowarn_deprecated_function, nowarn_deprecated_catch]).

%% Exported, so that the compiler knows nothing about the result.
id(X) -> X.

%% The value of F, or what it raised: class, reason and the topmost frame.
c(F) ->
    try F() of
        V -> {ok, V}
    catch
        C:R:S -> {C, R, top(S)}
    end.

top([{M, F, A, Info} | _]) -> {M, F, A, info(Info)};
top([]) -> [].

info([{error_info, I} | T]) -> [{error_info, I} | info(T)];
info([{line, L} | T]) -> [{line, L} | info(T)];
info([_ | T]) -> info(T);
info([]) -> [].

%% Every frame of the suite module itself.
trace(S) -> [{F, A, info(I)} || {M, F, A, I} <- S, M =:= ?MODULE].

%% Class and reason only.
cr(F) ->
    try F() of
        V -> {ok, V}
    catch
        C:R -> {C, R}
    end.
