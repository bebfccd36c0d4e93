%% Shared by the suites with libraries in C.

%% The library of this name, without its suffix: compiled from a file of the suites with these options, if it is not there yet.
%% An atom that says why there is none, or what the compiler has said.
c_library(Source, Name, Options) ->
    {ok, Here} = file:get_cwd(),
    Path = filename:join(Here, Name),
    case {filelib:is_file(Path ++ ".so"), os:find_executable("gcc")} of
        {true, _} -> Path;
        {false, false} -> there_is_no_gcc;
        {false, Gcc} ->
            Include = filename:join([code:root_dir(), "usr", "include"]),
            Out = os:cmd(Gcc ++ " -O1 -fPIC -shared -w " ++ Options ++ " -o " ++ Path ++ ".so -I" ++ Include ++ " "
                         ++ filename:join(os:getenv("DIFF_SOURCE_DIR"), Source)),
            case filelib:is_file(Path ++ ".so") of
                true -> Path;
                false -> {not_compiled, Out}
            end
    end.

%% The folder with a driver that calls itself so, compiled with these definitions; or why there is none.
driver_folder(File, Name, Defines) ->
    case c_library("t_driver.c", File, Defines ++ " -DNAME='\"" ++ Name ++ "\"'") of
        Path when is_list(Path) -> filename:dirname(Path);
        Why -> Why
    end.
