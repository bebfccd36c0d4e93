%% modes: plain
%% limit: 1500
%% OTP's own compiler compiles OTP's own sources: kernel, stdlib, compiler.
%%
%% A case is a source file; its value is the size and hash of the object code.
%% DIFF_COMPILE says how many files there are: one in that many (1: all).
-module(t_compile).
-include("diff.hrl").

cases() ->
    Step = case os:getenv("DIFF_COMPILE") of
               false -> 12;
               Text -> list_to_integer(Text)
           end,
    Files = lists:append([filelib:wildcard(filename:join([code:lib_dir(A), "src", "*.erl"])) || A <- [kernel, stdlib, compiler]]),
    [{list_to_atom(filename:basename(F, ".erl")), heavy, fun() -> compile_one(F) end} || F <- every(Step, Step, lists:sort(Files))].

every(_, _, []) -> [];
every(1, Step, [H | T]) -> [H | every(Step, Step, T)];
every(N, Step, [_ | T]) -> every(N - 1, Step, T).

compile_one(File) ->
    Includes = [{i, filename:join(code:lib_dir(A), D)} || A <- [kernel, stdlib, compiler], D <- ["include", "src"]],
    case compile:file(File, [deterministic, binary, return, no_spawn_compiler_process | Includes]) of
        {ok, M, Code, _} -> {M, byte_size(Code), erlang:md5(Code)};
        {error, Errors, _} -> {error, [{element(1, E), element(2, E)} || {_, L} <- Errors, E <- L]}
    end.
